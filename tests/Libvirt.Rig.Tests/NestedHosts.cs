using System.Diagnostics;
using System.Net;
using System.Net.NetworkInformation;
using ControlPlane.Lab;
using ControlPlane.Lab.Probes;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Libvirt.Rig.Tests;

/// <summary>Both nested hosts as their snapshot has them, the guest on the first, and a stream of probes to it.</summary>
internal sealed class NestedHosts : IAsyncDisposable
{
    private static readonly string LabDirectory = Environment.GetEnvironmentVariable("CONTROLPLANE_LAB") ?? TwoHostsOptions.LabDirectory;

    private static readonly string Rig = Path.Combine(LabDirectory, "sriov");

    private NestedHosts(CycleLog log, NestedHost first, NestedHost second, ProbeStream probes) =>
        (Log, First, Second, Probes, Cycle) = (log, first, second, probes, new GuestCycle(log, probes));

    public CycleLog Log { get; }

    public NestedHost First { get; }

    public NestedHost Second { get; }

    public ProbeStream Probes { get; }

    public GuestCycle Cycle { get; }

    /// <summary>Seconds, where there is a snapshot; minutes where there is none yet.</summary>
    public static async Task<NestedHosts> FreshAsync(string title, CancellationToken ct)
    {
        var log = new CycleLog(Path.Combine(Rig, "cycle.log"));
        log.Say(title);
        log.Say($"load {CycleLog.Load} on {Environment.ProcessorCount} cores");
        await log.PartAsync("both hosts back from their snapshot", () => RunScriptAsync(["fresh"], ct));
        var first = await NestedHost.OpenAsync(1, ct);
        var second = await NestedHost.OpenAsync(2, ct);
        log.Say($"hosts: {await File.ReadAllTextAsync(Path.Combine(Rig, "tree", ".complete"), ct)}; client: libvirt {first.Connection.LibraryVersion}");
        var probes = ProbeStream.Start(new ProbeStreamOptions(
            Path.Combine(Rig, "probe.sock"), Path.Combine(Rig, "host1", "probe.sock"), PhysicalAddress.Parse("52-54-00-AA-00-60"), IPAddress.Parse("10.99.0.50")), TimeProvider.System);
        return new NestedHosts(log, first, second, probes);
    }

    public async ValueTask DisposeAsync()
    {
        await Probes.DisposeAsync();
        First.Dispose();
        Second.Dispose();
        Log.Say($"load {CycleLog.Load}");
        Log.Dispose();
    }

    /// <summary>What the rig's script prints.</summary>
    public static async Task<string> RunScriptAsync(IReadOnlyList<string> arguments, CancellationToken ct)
    {
        var start = new ProcessStartInfo("bash", [Script(), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.Environment["CONTROLPLANE_LAB"] = LabDirectory;
        start.Environment["TIMEOUT"] = arguments[0] == "monitor" ? "0.3" : "60";
        using var process = Process.Start(start) ?? throw new InvalidOperationException("No process was started.");
        var output = process.StandardOutput.ReadToEndAsync(ct);
        var errors = process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        return process.ExitCode == 0 ? await output : throw new LabException($"rig.sh {arguments[0]} ended with exit code {process.ExitCode}: {await output}{await errors}");
    }

    public static string Script()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var script = Path.Combine(at.FullName, "tests", "lab", "sriov", "rig.sh");
            if (File.Exists(script))
                return script;
        }

        throw new InvalidOperationException("These tests run the scripts of the checkout they were built in; it is not around them.");
    }
}
