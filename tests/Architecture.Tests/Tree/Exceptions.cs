using System.Globalization;

namespace ControlPlane.Architecture.Tests.Tree;

/// <summary>
/// What is over a limit and known to be, with how much: <c>exceptions.txt</c>. The list may only shrink: a measure above its number
/// has grown, one below it must be written down anew, one within the limit needs its line no more.
/// </summary>
internal static class Exceptions
{
    private const string ListFile = "tests/Architecture.Tests/exceptions.txt";

    /// <summary>Fails with one line per difference between what was measured over the limit and what is listed for the rule.</summary>
    public static void AssertMatches(string rule, IEnumerable<KeyValuePair<string, int>> overLimit)
    {
        var listed = Read(rule);
        var measured = overLimit.ToDictionary(StringComparer.Ordinal);
        var differences = new List<string>();
        foreach (var (subject, value) in measured.OrderBy(entry => entry.Key, StringComparer.Ordinal))
        {
            if (!listed.TryGetValue(subject, out var allowed))
                differences.Add($"{rule} {subject} {value}: over the limit");
            else if (value > allowed)
                differences.Add($"{rule} {subject} {value}: has grown from {allowed}");
            else if (value < allowed)
                differences.Add($"{rule} {subject} {value}: shrunk from {allowed}; write the new number into {ListFile}");
        }

        differences.AddRange(listed.Keys.Where(subject => !measured.ContainsKey(subject))
            .Select(subject => $"{rule} {subject}: within the limit now; take its line out of {ListFile}"));
        Assert.True(differences.Count == 0, $"{differences.Count} differences:\n{string.Join('\n', differences)}");
    }

    private static Dictionary<string, int> Read(string rule) => SourceTree.Read(ListFile).Split('\n')
        .Where(line => line.Length > 0 && !line.StartsWith('#')).Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .Where(words => words[0] == rule)
        .ToDictionary(words => string.Join(' ', words[1..^1]), words => int.Parse(words[^1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
}
