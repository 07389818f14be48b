using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Processes;

namespace ControlPlane.Dev.Testing;

/// <summary>How one test project went.</summary>
internal sealed record ProjectResult(string Project, int Passed, int Skipped, IReadOnlyList<FailedTest> Failures, TimeSpan Duration);

/// <summary>Runs one test project's program.</summary>
internal static class TestRun
{
    /// <summary>No test of this project says nothing for so long; one that does hangs.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromMinutes(6);

    /// <summary>On nested hosts one step of a test takes minutes.</summary>
    private static readonly TimeSpan SilenceOnRig = TimeSpan.FromMinutes(30);

    private const int LinesKept = 30;

    public static async Task<ProjectResult> RunAsync(
        Repository repository, string project, string configuration, Action<TestEvents> onProgress, CancellationToken ct)
    {
        var time = TimeProvider.System;
        var began = time.GetTimestamp();
        var events = new TestEvents();
        var other = new Queue<string>();
        var silence = project == Repository.RigTests ? SilenceOnRig : Silence;
        using var hung = new CancellationTokenSource(silence);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, hung.Token);
        var program = repository.Program(project, $"ControlPlane.{project}", configuration);
        int? code = null;
        try
        {
            code = await Tool.StreamAsync([program, "-reporter", "json", "-noColor", "-noAutoReporters"], repository.Root, line =>
            {
                lock (events)
                {
                    if (events.Read(line))
                    {
                        hung.CancelAfter(silence);
                        onProgress(events);
                        return;
                    }

                    other.Enqueue(line);
                    if (other.Count > LinesKept)
                        other.Dequeue();
                }
            }, either.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // Hung; ended with all it started, and reported below.
        }

        lock (events)
        {
            if (Verdict(events, code, silence) is { } trouble)
                events.Failures.Add(new FailedTest(project, $"{trouble}\n{string.Join('\n', other)}".Trim()));
            return new ProjectResult(project, events.Passed, events.Skipped, events.Failures, time.GetElapsedTime(began));
        }
    }

    /// <summary>What is wrong with the program as a whole; null when its tests tell everything.</summary>
    internal static string? Verdict(TestEvents events, int? code, TimeSpan? silence = null) => (events, code) switch
    {
        (_, null) => $"hung: nothing for {(silence ?? Silence).TotalMinutes:0} minutes, while running {string.Join(", ", events.Running.DefaultIfEmpty("no test"))}",
        (_, Tool.NotFound) => "its program was not built",
        ({ IsFinished: false }, _) => $"ended in the middle (exit code {code}), while running {string.Join(", ", events.Running.DefaultIfEmpty("no test"))}",
        ({ Failures.Count: 0 }, not 0) => $"all its tests passed and yet it ended with exit code {code}",
        ({ Passed: 0, Skipped: 0, Failures.Count: 0 }, _) => "it has no tests",
        _ => null,
    };
}
