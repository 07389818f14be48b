namespace ControlPlane.Architecture.Tests.Tree;

/// <summary>What a rule finds against the checkout, shown whole: one that is cut off cannot be mended.</summary>
internal static class Findings
{
    public static void AssertNone(IEnumerable<string> findings)
    {
        string[] found = [.. findings.Distinct(StringComparer.Ordinal)];
        Assert.True(found.Length == 0, $"{found.Length} found:\n{string.Join('\n', found)}");
    }
}
