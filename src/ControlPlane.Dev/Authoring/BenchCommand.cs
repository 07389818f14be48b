using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Prerequisites;
using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Authoring;

/// <summary>Runs the benchmarks on this machine; each is a ratio or a bound, so it means something on another one too.</summary>
internal sealed class BenchCommand(Screen screen, Repository repository)
{
    /// <summary>Those with real guests on the lab's hosts.</summary>
    private static readonly string[] OnTheLab = ["libvirt", "memory"];

    /// <param name="names">Empty: all.</param>
    public async Task<int> RunAsync(IReadOnlyList<string> names, CancellationToken ct)
    {
        var needsLab = names.Count == 0 || names.Any(OnTheLab.Contains);
        if (!await Apt.EnsureAsync(screen, needsLab ? Requirement.OfTests : [Requirement.Postgres], ct))
            return 1;
        screen.Heading("Building");
        // The benchmarks start the server as users do: its own program, built for release.
        foreach (var project in new[] { repository.SourceProject("ControlPlane.Server"), repository.TestProject("Benchmarks") })
        {
            if (!await DotnetBuild.RunAsync(screen, repository, project, "Release", ct))
                return 1;
        }

        return await Tool.AttachedAsync([repository.Program("Benchmarks", "ControlPlane.Benchmarks", "Release"), .. names], repository.Root, ct);
    }
}
