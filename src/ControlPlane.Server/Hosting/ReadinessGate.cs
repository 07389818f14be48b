using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ControlPlane.Contracts;
using ControlPlane.Server.Startup;

namespace ControlPlane.Server.Hosting;

/// <summary>
/// Answers <c>/healthz/live</c> (the process listens) and <c>/healthz/ready</c> (it serves, or says why not) without a token and without the
/// database; until the server serves, everything else is answered 503 with what it is waiting for.
/// </summary>
internal sealed class ReadinessGate(RequestDelegate next, Readiness readiness)
{
    public Task InvokeAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments("/healthz", StringComparison.Ordinal, out var probe) && HttpMethods.IsGet(context.Request.Method))
        {
            if (probe == "/live")
                return HealthAsync(context, "ok", null);
            if (probe == "/ready")
                return HealthAsync(context, readiness.Phase, readiness.NotReadyReason);
        }
        return readiness.NotReadyReason is { } reason ? RefuseAsync(context, reason) : next(context);
    }

    private static Task HealthAsync(HttpContext context, string status, string? reason) => WriteAsync(
        context, reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, "application/json",
        new HealthResponse(status, reason), ContractsJson.Wire.HealthResponse);

    private static Task RefuseAsync(HttpContext context, string reason)
    {
        context.Response.Headers.RetryAfter = "1";
        var problem = new ProblemResponse(
            "urn:controlplane:problem:not-ready", "Unavailable", StatusCodes.Status503ServiceUnavailable, reason, "not-ready", null,
            Activity.Current?.TraceId.ToHexString() ?? "");
        return WriteAsync(
            context, StatusCodes.Status503ServiceUnavailable, "application/problem+json", problem, ContractsJson.Wire.ProblemResponse);
    }

    private static Task WriteAsync<T>(HttpContext context, int status, string mediaType, T value, JsonTypeInfo<T> type)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = mediaType;
        return JsonSerializer.SerializeAsync(context.Response.BodyWriter, value, type, context.RequestAborted);
    }
}
