using ControlPlane.Dev.Prerequisites;
using ControlPlane.Dev.Terminal;
using ControlPlane.Lab;
using ControlPlane.Lab.Guests;
using ControlPlane.Lab.Hosts;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Dev.Lab;

/// <summary>Brings rigs of real hypervisors up and down, and shows them.</summary>
internal sealed class LabCommand(Screen screen)
{
    public const string TwoHosts = "two-hosts";

    public async Task<int> UpAsync(string directory, CancellationToken ct)
    {
        if (!IsRoot())
            return 1;
        screen.Heading("What the rig needs");
        if (!await Apt.EnsureAsync(screen, Requirement.TwoHosts, ct))
            return 1;
        screen.Good("all there");
        screen.Heading("Two hosts");
        return await TryAsync(async () =>
        {
            var began = TimeProvider.System.GetTimestamp();
            var options = new TwoHostsOptions(Path.Combine(directory, TwoHosts), TwoHostsOptions.ImagesIn(directory)) { IsDetached = true };
            var rig = await screen.WatchAsync("bringing them up", report => ControlPlane.Lab.TwoHosts.UpAsync(options, report, ct));
            // A guest to begin with, defined and not started: what is up is the user's.
            var example = new GuestSpec("example") { AddressNumber = 10 };
            var file = Path.Combine(options.Directory, $"{example.Name}.xml");
            await File.WriteAllTextAsync(file, example.ToXml(rig.Image), ct);
            screen.Good($"up in {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0.0} s");
            ShowUse(options.Directory, rig, example, file);
            return 0;
        });
    }

    public Task<int> DownAsync(string directory, CancellationToken ct) => !IsRoot() ? Task.FromResult(1) : TryAsync(async () =>
    {
        var rig = Path.Combine(directory, TwoHosts);
        if (await ControlPlane.Lab.TwoHosts.DownAsync(rig, ct))
            screen.Good($"{TwoHosts} is down, {rig} is removed; guest images stay in {TwoHostsOptions.ImagesIn(directory)}");
        else
            screen.Good($"{TwoHosts} is not up: there is no {rig}");
        return 0;
    });

    /// <returns>0 when both hosts answer.</returns>
    public Task<int> StatusAsync(string directory, CancellationToken ct) => !IsRoot() ? Task.FromResult(1) : TryAsync(async () =>
    {
        var hosts = ControlPlane.Lab.TwoHosts.Find(Path.Combine(directory, TwoHosts));
        if (hosts.Count == 0)
        {
            screen.Warn($"{TwoHosts} is not up; bring it up with: lab up {TwoHosts}");
            return 1;
        }

        var answering = 0;
        foreach (var host in hosts)
            answering += await ShowAsync(host, ct) ? 1 : 0;
        return answering == hosts.Count ? 0 : 1;
    });

    private async Task<bool> ShowAsync(LabHost host, CancellationToken ct)
    {
        if (!ControlPlane.Lab.TwoHosts.IsUp(host))
        {
            screen.Bad($"{host.Name} is down; mend it with: lab up {TwoHosts}");
            return false;
        }

        if (await host.VirshAsync(["list", "--all"], ct) is not { Succeeded: true } list)
        {
            screen.Bad($"{host.Name} is up and its libvirtd does not answer; mend it with: lab up {TwoHosts}; its log: {host.DaemonLog}");
            return false;
        }

        screen.Good($"{host.Name} answers: {host.TcpUri}");
        foreach (var line in list.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries))
            screen.Plain($"    {line}");
        return true;
    }

    private void ShowUse(string directory, ControlPlane.Lab.TwoHosts rig, GuestSpec example, string file)
    {
        screen.Plain("");
        foreach (var host in rig.Hosts)
        {
            screen.Plain($"    {host.Name}   {host.UnixUri}");
            screen.Plain($"          {host.TcpUri}");
            screen.Plain($"          {host.TlsUri}");
        }

        screen.Plain("");
        screen.Plain("    a guest    from the file it boots to a heartbeat on its console in seconds, and moves to hv2:");
        screen.Plain($"      virsh -c {rig.First.TcpUri} create {file}");
        screen.Plain($"      tail -F {directory}/hv?/log/{example.Name}.console");
        screen.Plain($"      virsh -c {rig.First.TcpUri} console {example.Name}");
        screen.Plain($"      virsh -c {rig.First.TcpUri} migrate --live --p2p {example.Name} {rig.Second.PeerTcpUri}");
        screen.Plain($"      virsh -c {rig.Second.TcpUri} migrate --live --p2p --tls {example.Name} {rig.First.PeerTlsUri}");
        screen.Plain($"    kernel     {rig.Image.Kernel}");
        screen.Plain($"    initrd     {rig.Image.Initrd}");
        screen.Plain($"    disk       {rig.Image.Disk}, and {GuestImage.DiskName} in each host's storage pool 'default'; network 'guests'");
        screen.Plain($"    the end    lab down {TwoHosts}");
        screen.Plain("");
    }

    private bool IsRoot()
    {
        if (Environment.IsPrivilegedProcess)
            return true;
        screen.Bad("the rig makes namespaces and network interfaces, so it needs root: run this as root, or with sudo");
        return false;
    }

    private async Task<int> TryAsync(Func<Task<int>> work)
    {
        try
        {
            return await work();
        }
        catch (LabException failure)
        {
            screen.Bad(failure.Message);
            return 1;
        }
    }
}
