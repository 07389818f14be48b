namespace ControlPlane.Dev.Testing;

/// <summary>The sum over all projects, and the line that a build server reads.</summary>
internal sealed record TestTotals(int Passed, int Failed, int Skipped)
{
    public static TestTotals Of(IReadOnlyCollection<ProjectResult> results) =>
        new(results.Sum(result => result.Passed), results.Sum(result => result.Failures.Count), results.Sum(result => result.Skipped));

    public string ClosingLine => $"{Passed} passed, {Failed} failed{(Skipped > 0 ? $", {Skipped} skipped" : "")}";

    /// <summary>A run in which nothing ran has shown nothing.</summary>
    public int ExitCode => Failed > 0 || Passed == 0 ? 1 : 0;
}
