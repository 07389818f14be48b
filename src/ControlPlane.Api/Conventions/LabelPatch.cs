namespace ControlPlane.Api.Conventions;

/// <summary>Labels are patched as RFC 7396 merges objects: what is named is set, null removes, the rest stays.</summary>
internal static class LabelPatch
{
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
