using System.Globalization;
using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Lab;
using ControlPlane.Dev.Prerequisites;
using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Testing;

/// <summary>
/// Runs the tests of the rig with nested hosts, from the rig's snapshot, and keeps their log as evidence. They take minutes and need root, so
/// they are not among the tests of everybody.
/// </summary>
internal sealed class RigTestCommand(Screen screen, Repository repository)
{
    private const string Configuration = "Debug";

    public async Task<int> RunAsync(string labDirectory, CancellationToken ct)
    {
        // One test starts a server, which runs a PostgreSQL of its own.
        if (!await Apt.EnsureAsync(screen, [Requirement.Postgres], ct))
            return 1;
        screen.Heading("Building");
        if (!await DotnetBuild.RunAsync(screen, repository, repository.TestProject(Repository.RigTests), Configuration, ct))
            return 1;
        if (await new SriovLab(screen, repository).UpAsync(labDirectory, ct) is not 0 and var failed)
            return failed;

        var log = Path.Combine(labDirectory, SriovLab.Rig, "cycle.log");
        File.Delete(log);
        var code = await new TestCommand(screen, repository).RunBuiltAsync([Repository.RigTests], ct);
        if (!File.Exists(log))
            return code;
        foreach (var line in await File.ReadAllLinesAsync(log, ct))
            screen.Plain(line);
        await KeepAsync(log, code == 0, ct);
        return code;
    }

    private async Task KeepAsync(string log, bool hasPassed, CancellationToken ct)
    {
        var (_, commit) = await Tool.CaptureAsync(["git", "-C", repository.Root, "describe", "--always", "--dirty"], "/", ct);
        var evidence = Path.Combine(repository.Root, "docs", "evidence", "sriov-rig.md");
        Directory.CreateDirectory(Path.GetDirectoryName(evidence)!);
        var date = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
        await File.WriteAllTextAsync(evidence, $"""
            # The last full run on nested hosts with SR-IOV

            Written by `dotnet run --project src/ControlPlane.Dev -- test --rig sriov`, as the test printed it; [the lab](../lab.md) says what the rig is.
            Where it says FAILED within the specification of hypervisors and the result is "passed", a limit of libvirt was shown (`LibvirtLimits`).
            No KVM: the guest runs on TCG inside a host that runs on TCG, so times tell of that, and of the load, which the log names.

            | date | commit | result |
            |---|---|---|
            | {date} | {string.Concat(commit)} | {(hasPassed ? "passed" : "FAILED")} |

            ```
            {(await File.ReadAllTextAsync(log, ct)).TrimEnd()}
            ```

            """, ct);
        screen.Good($"kept in {Path.GetRelativePath(repository.Root, evidence)}");
    }
}
