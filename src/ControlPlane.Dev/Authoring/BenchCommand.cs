using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Prerequisites;
using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Authoring;

/// <summary>Runs the benchmarks on this machine; each is a ratio or a bound, so it means something on another one too.</summary>
internal sealed class BenchCommand(Screen screen, Repository repository)
{
    public async Task<int> RunAsync(IReadOnlyList<string> only, CancellationToken ct)
    {
        if (!await Apt.EnsureAsync(screen, [Requirement.Postgres], ct))
            return 1;
        screen.Heading("Building");
        // The benchmarks start the server as users do: its own program, built for release.
        foreach (var project in new[] { repository.SourceProject("ControlPlane.Server"), repository.TestProject("Benchmarks") })
        {
            if (!await DotnetBuild.RunAsync(screen, repository, project, "Release", ct))
                return 1;
        }

        return await Tool.AttachedAsync([repository.Program("Benchmarks", "ControlPlane.Benchmarks", "Release"), .. only], repository.Root, ct);
    }
}
