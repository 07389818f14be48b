using System.Globalization;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Conventions;

/// <summary><c>?wait=SECONDS</c> and <c>Prefer: wait=N</c> (RFC 7240 section 4.3) hold a 202 until the operation ends or the time is over.</summary>
internal static class Waiting
{
    public const int MaxSeconds = 60;

    public static readonly QueryParameter Parameter =
        QueryParameter.Number("wait", "Seconds to hold the answer until the operation ends; `Prefer: wait=N` says the same.", 0, MaxSeconds);

    /// <summary>How long the caller wants to wait. An unusable <c>Prefer</c> is ignored, as RFC 7240 demands; the query was checked before.</summary>
    public static TimeSpan Wanted(HttpContext context)
    {
        if (Query.Of(context).Number(Parameter.Name) is { } seconds)
            return TimeSpan.FromSeconds(seconds);
        foreach (var header in context.Request.Headers["Prefer"])
        {
            foreach (var preference in (header ?? "").Split([',', ';'], StringSplitOptions.TrimEntries))
            {
                if (preference.StartsWith("wait=", StringComparison.OrdinalIgnoreCase)
                    && int.TryParse(preference.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out var preferred))
                    return TimeSpan.FromSeconds(Math.Min(preferred, MaxSeconds));
            }
        }
        return TimeSpan.Zero;
    }
}
