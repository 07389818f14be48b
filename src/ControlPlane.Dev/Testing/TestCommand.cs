using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Prerequisites;
using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Testing;

/// <summary>Installs what the tests need, builds once and runs them all, several projects side by side.</summary>
internal sealed class TestCommand(Screen screen, Repository repository)
{
    /// <summary>Each project runs its classes in parallel too, and some a PostgreSQL of their own; two keep a small machine busy while one waits.</summary>
    private static readonly int ProjectsAtOnce = Math.Max(2, Environment.ProcessorCount / 2);

    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(15);

    private const string Configuration = "Debug";

    /// <param name="only">One project by its folder's name, with or without <c>.Tests</c>; null: all.</param>
    public async Task<int> RunAsync(string? only, CancellationToken ct)
    {
        var projects = repository.TestProjects();
        if (only is not null)
            projects = [.. projects.Where(name => name == only || name == $"{only}.Tests")];
        if (projects.Count == 0)
        {
            screen.Bad($"there is no test project '{only}'; there are: {string.Join(", ", repository.TestProjects())}");
            return 1;
        }

        screen.Heading("What the tests need");
        if (!await Apt.EnsureAsync(screen, Requirement.OfTests, ct))
            return 1;
        screen.Good("all there");
        screen.Heading("Building");
        var target = projects.Count == 1 ? repository.TestProject(projects[0]) : repository.SolutionFile;
        if (!await DotnetBuild.RunAsync(screen, repository, target, Configuration, ct))
            return 1;
        return await RunBuiltAsync(projects, ct);
    }

    /// <summary>Runs projects that are built already; the closing line says how it went.</summary>
    public async Task<int> RunBuiltAsync(IReadOnlyList<string> projects, CancellationToken ct)
    {
        if (!Environment.IsPrivilegedProcess && projects.Where(repository.UsesRig).ToList() is { Count: > 0 } rootOnly)
        {
            screen.Warn($"not run, because they make network interfaces and namespaces, for which they need root: {string.Join(", ", rootOnly)}");
            projects = [.. projects.Except(rootOnly, StringComparer.Ordinal)];
        }

        screen.Heading($"Testing {projects.Count} project{(projects.Count == 1 ? "" : "s")}");
        var results = new List<ProjectResult>();
        // Those that take long begin first: at the end nothing waits for one that began last.
        var longestFirst = projects.OrderByDescending(repository.UsesRig).ThenByDescending(repository.UsesPostgres).ThenBy(name => name, StringComparer.Ordinal);
        await Parallel.ForEachAsync(longestFirst, new ParallelOptions { MaxDegreeOfParallelism = ProjectsAtOnce, CancellationToken = ct }, async (project, token) =>
        {
            var result = await RunOneAsync(project, token);
            lock (results)
            {
                results.Add(result);
                Report(result, results.Count, projects.Count);
            }
        });

        var totals = TestTotals.Of(results);
        ShowFailures(results);
        if (results.Count > 1)
        {
            foreach (var line in TestTable.Lines(results))
                screen.Plain(line);
        }

        screen.Plain(totals.ClosingLine);
        return totals.ExitCode;
    }

    private Task<ProjectResult> RunOneAsync(string project, CancellationToken ct)
    {
        var time = TimeProvider.System;
        var lastReport = time.GetTimestamp();
        return TestRun.RunAsync(repository, project, Configuration, events =>
        {
            if (time.GetElapsedTime(lastReport) < ReportEvery)
                return;
            lastReport = time.GetTimestamp();
            screen.Quiet($"    {project}: {events.Passed} passed so far{(events.Failures.Count > 0 ? $", {events.Failures.Count} failed" : "")}");
        }, ct);
    }

    private void Report(ProjectResult result, int done, int of)
    {
        var line = $"[{done}/{of}] {result.Project}: {result.Passed} passed in {result.Duration.TotalSeconds:0.0} s{(result.Skipped > 0 ? $", {result.Skipped} skipped" : "")}";
        if (result.Failures.Count == 0)
            screen.Good(line);
        else
            screen.Bad($"{line}, {result.Failures.Count} FAILED");
    }

    private void ShowFailures(IEnumerable<ProjectResult> results)
    {
        foreach (var (result, failure) in results.SelectMany(result => result.Failures.Select(failure => (result, failure))))
        {
            screen.Bad($"[{result.Project}] {failure.Name}");
            foreach (var line in failure.Message.Split('\n'))
                screen.Quiet($"      {line.TrimEnd()}");
        }
    }
}
