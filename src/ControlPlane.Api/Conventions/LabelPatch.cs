using ControlPlane.Domain;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Api.Conventions;

/// <summary>Labels are patched as RFC 7396 merges objects: what is named is set, null removes, the rest stays.</summary>
internal static class LabelPatch
{
    private const int Tries = 5;

    /// <summary>
    /// A merge is decided on what was read, so it commits only where that still holds. Where the caller has named no generation, another
    /// request that was faster is no reason to refuse: the merge is decided again.
    /// </summary>
    public static async Task<Outcome<T>> RetryAsync<T>(IfMatch ifMatch, Func<Task<Outcome<T>>> attempt)
    {
        var outcome = await attempt();
        for (var again = 1; again < Tries && ifMatch.Header is null && IsLostRace(outcome.Fault); again++)
            outcome = await attempt();
        return outcome;
    }

    private static bool IsLostRace(Fault? fault) => fault is { Kind: FaultKind.Stale } or { Code: WriteFaults.ChangedMeanwhileCode };

    public static IReadOnlyDictionary<string, string>? Apply(
        IReadOnlyDictionary<string, string> present, IReadOnlyDictionary<string, string?>? patch)
    {
        if (patch is null)
            return null;
        var merged = new Dictionary<string, string>(present, StringComparer.Ordinal);
        foreach (var (key, value) in patch)
        {
            if (value is null)
                merged.Remove(key);
            else
                merged[key] = value;
        }
        return merged;
    }
}
