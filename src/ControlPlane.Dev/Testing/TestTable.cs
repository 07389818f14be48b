namespace ControlPlane.Dev.Testing;

/// <summary>The end of a run at a glance: a line per project, the slowest first.</summary>
internal static class TestTable
{
    private const string Title = "project";

    public static IEnumerable<string> Lines(IReadOnlyCollection<ProjectResult> results)
    {
        var width = results.Select(result => result.Project.Length).Append(Title.Length).Max();
        yield return $"    {Title.PadRight(width)}  {"passed",6}  {"failed",6}  {"skipped",7}  {"seconds",7}";
        foreach (var result in results.OrderByDescending(result => result.Duration).ThenBy(result => result.Project, StringComparer.Ordinal))
            yield return $"    {result.Project.PadRight(width)}  {result.Passed,6}  {result.Failures.Count,6}  {result.Skipped,7}  {result.Duration.TotalSeconds,7:0.0}";
    }
}
