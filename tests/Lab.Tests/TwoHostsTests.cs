using System.Xml.Linq;
using ControlPlane.Lab.Guests;
using ControlPlane.Lab.Hosts;
using ControlPlane.Lab.Processes;
using ControlPlane.Testing.Libvirt;

namespace ControlPlane.Lab.Tests;

/// <summary>That the rig is what other tests build on: by virsh alone, none of our own bindings.</summary>
public sealed class TwoHostsTests(TwoHostsRig fixture) : IClassFixture<TwoHostsRig>
{
    /// <summary>A guest is at its heartbeat after four seconds; on a machine that is busy, much later.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    /// <summary>Few: TCG can lose a write of a kernel that is being copied (docs/lab.md). Many moves are made by a guest without one, in Libvirt.Tests.</summary>
    private const int Rounds = 3;

    private readonly TwoHosts rig = fixture.Rig;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Both_daemons_answer_over_the_socket_and_TCP_and_TLS_each_by_its_own_name_and_uuid()
    {
        var uuids = new List<string>();
        foreach (var host in rig.Hosts)
        {
            foreach (var uri in new[] { host.UnixUri, host.TcpUri, host.TlsUri })
                Assert.Equal(host.Name, (await Shell.RequireAsync(["virsh", "-q", "-c", uri, "hostname"], Ct)).Trim());
            var capabilities = await host.RequireVirshAsync(["capabilities"], Ct);
            uuids.Add(capabilities.Split("<uuid>")[1].Split("</uuid>")[0]);
        }

        Assert.NotEqual(uuids[0], uuids[1]);
    }

    [Fact]
    public async Task A_client_with_somebody_elses_certificate_is_refused()
    {
        var stranger = rig.First.TlsUri.Replace("/client", "/stranger", StringComparison.Ordinal);

        var refused = await Shell.RunAsync(["virsh", "-q", "-c", stranger, "hostname"], Ct);

        Assert.False(refused.Succeeded);
        Assert.Contains("TLS", refused.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_guest_moves_there_and_back_over_TCP_and_TLS_and_its_heart_goes_on()
    {
        var guest = await BootAsync(new GuestSpec("wanderer") { AddressNumber = 20, DirtyMiBPerSecond = 8, DirtySpanMiB = 16 });
        await rig.First.Console(guest.Name).WaitForAsync("guest: DIRTYING 8 MiB/s over 1[0-9] MiB", Deadline, Ct);

        for (var round = 0; round < Rounds; round++)
        {
            await MoveAsync(guest, rig.First, rig.Second, rig.Second.PeerTcpUri, "--p2p");
            await MoveAsync(guest, rig.Second, rig.First, rig.First.PeerTlsUri, "--p2p", "--tls");
        }

        // The client talks to both, and the hosts only carry the memory.
        await MoveAsync(guest, rig.First, rig.Second, rig.Second.TlsUri);

        var ping = await rig.First.ExecuteAsync([rig.Image.Busybox, "ping", "-c", "1", "-w", "30", guest.Address!], Ct);
        Assert.True(ping.Succeeded, ping.Output);
        await EndAsync(rig.Second, guest.Name);
    }

    [Fact]
    public async Task A_cut_between_the_hosts_fails_a_migration_in_mid_copy_and_the_guest_runs_on_where_it_was()
    {
        var guest = await BootAsync(new GuestSpec("cut") { DirtyMiBPerSecond = 20 });
        var migration = await BeginMigrationAsync(guest);

        await rig.CutNetworkAsync(Ct);
        Assert.False((await rig.Second.ExecuteAsync([rig.Image.Busybox, "ping", "-c", "1", "-w", "1", rig.First.Name], Ct)).Succeeded);
        var failed = await migration;
        await rig.RestoreNetworkAsync(Ct);

        Assert.False(failed.Succeeded);
        await AssertStayedAsync(guest);
        await MoveAsync(guest, rig.First, rig.Second, rig.Second.PeerTcpUri, "--p2p");
        await EndAsync(rig.Second, guest.Name);
    }

    [Fact]
    public async Task A_killed_daemon_leaves_its_guests_running_and_finds_them_again()
    {
        var guest = await BootAsync(new GuestSpec("survivor"));

        await rig.First.KillDaemonAsync(Ct);
        Assert.False(await rig.First.IsReadyAsync(Ct));
        var console = rig.First.Console(guest.Name);
        await console.WaitForHeartbeatAsync(console.LastHeartbeat, Deadline, Ct);
        await rig.First.StartDaemonAsync(Ct);

        Assert.Equal("running", (await rig.First.RequireVirshAsync(["domstate", guest.Name], Ct)).Trim());
        await EndAsync(rig.First, guest.Name);
    }

    [Theory, InlineData("source"), InlineData("target")]
    public async Task A_daemon_that_is_killed_in_mid_copy_comes_back_to_a_guest_that_stayed_where_it_was(string end)
    {
        var guest = await BootAsync(new GuestSpec($"half-{end}") { DirtyMiBPerSecond = 20 });
        var killed = end == "source" ? rig.First : rig.Second;
        var migration = await BeginMigrationAsync(guest);

        await killed.RestartDaemonAsync(Ct);

        Assert.False((await migration).Succeeded);
        await AssertStayedAsync(guest);
        await EndAsync(rig.First, guest.Name);
    }

    [Fact]
    public async Task A_guest_boots_from_the_hosts_own_disk_and_takes_it_along()
    {
        const string Name = "booted";
        foreach (var host in rig.Hosts)
        {
            await host.RequireVirshAsync(
                ["vol-create-as", "default", $"{Name}.qcow2", "64M", "--format", "qcow2", "--backing-vol", GuestImage.DiskName, "--backing-vol-format", "raw"], Ct);
        }

        var file = Path.Combine(rig.First.Directory, $"{Name}.xml");
        await File.WriteAllTextAsync(file, FromDisk(Name).ToString(), Ct);
        await rig.First.RequireVirshAsync(["create", file], Ct);
        await rig.First.RecordConsoleAsync(Name, Ct);
        var console = rig.First.Console(Name);
        await console.WaitForAsync("guest: NET\\+ eth0 mac=52:54:00:c0:02:2a driver=virtio_net address=192.0.2.58", Deadline, Ct);
        var heartbeat = await console.WaitForHeartbeatAsync(0, Deadline, Ct);

        await rig.First.RequireVirshAsync(["suspend", Name], Ct);
        await rig.First.RequireVirshAsync(["migrate", "--live", "--p2p", "--copy-storage-inc", Name, rig.Second.PeerTcpUri], Ct);

        await rig.Second.RecordConsoleAsync(Name, Ct);
        await rig.Second.RequireVirshAsync(["resume", Name], Ct);
        await rig.Second.Console(Name).WaitForHeartbeatAsync(heartbeat, Deadline, Ct);
        var ping = await rig.First.ExecuteAsync([rig.Image.Busybox, "ping", "-c", "1", "-w", "30", "192.0.2.58"], Ct);
        Assert.True(ping.Succeeded, ping.Output);
        await EndAsync(rig.Second, Name);
    }

    /// <summary>As a control plane would write it: no kernel, no log of the console, the network by its name.</summary>
    private static XElement FromDisk(string name) => XElement.Parse(
        $"""
        <domain type='qemu'>
          <name>{name}</name><memory unit='MiB'>192</memory><vcpu>1</vcpu>
          <os><type arch='x86_64' machine='q35'>hvm</type></os>
          <features><acpi/></features>
          <cpu mode='custom' match='exact' check='none'><model>qemu64</model></cpu>
          <devices>
            <disk type='file' device='disk'>
              <driver name='qemu' type='qcow2'/><source file='/var/lib/libvirt/images/{name}.qcow2'/><target dev='vda' bus='virtio'/>
            </disk>
            <interface type='network'><mac address='52:54:00:c0:02:2a'/><source network='guests'/><model type='virtio'/></interface>
            <serial type='pty'/><controller type='usb' model='none'/><memballoon model='none'/>
          </devices>
        </domain>
        """);

    [Fact]
    public async Task The_power_button_ends_a_guest_unless_it_is_told_to_ignore_it()
    {
        var stubborn = await BootAsync(new GuestSpec("stubborn") { IgnoresPowerButton = true });
        var obedient = await BootAsync(new GuestSpec("obedient"));

        foreach (var guest in new[] { stubborn, obedient })
            await rig.First.RequireVirshAsync(["shutdown", guest.Name, "--mode", "acpi"], Ct);

        await rig.First.Console(obedient.Name).WaitForAsync("guest: POWER obeyed", Deadline, Ct);
        await Until.SomethingAsync(Deadline, async () => await StateAsync(obedient) == "shut off" ? this : null, () => "the obedient guest does not end", Ct);
        var console = rig.First.Console(stubborn.Name);
        await console.WaitForAsync("guest: POWER ignored", Deadline, Ct);
        await console.WaitForHeartbeatAsync(console.LastHeartbeat, Deadline, Ct);
        Assert.Equal("running", await StateAsync(stubborn));
        await EndAsync(rig.First, stubborn.Name);
    }

    [Fact]
    public async Task An_interface_is_plugged_into_a_running_guest_and_out_again()
    {
        var guest = await BootAsync(new GuestSpec("plugged"));
        var file = Path.Combine(rig.First.Directory, "interface.xml");
        await File.WriteAllTextAsync(file, GuestSpec.InterfaceXml(33).ToString(), Ct);
        var console = rig.First.Console(guest.Name);

        await rig.First.RequireVirshAsync(["attach-device", guest.Name, file, "--live"], Ct);
        await console.WaitForAsync("guest: NET\\+ eth0 mac=52:54:00:c0:02:21 driver=virtio_net", Deadline, Ct);
        await rig.First.RequireVirshAsync(["detach-device", guest.Name, file, "--live"], Ct);
        await console.WaitForAsync("guest: NET- eth0", Deadline, Ct);

        var xml = await Until.SomethingAsync(Deadline, async () =>
            await rig.First.RequireVirshAsync(["dumpxml", guest.Name], Ct) is var now && !now.Contains("<interface", StringComparison.Ordinal) ? now : null,
            () => "the interface stays in the guest's description", Ct);
        Assert.Contains("<serial", xml, StringComparison.Ordinal);
        await EndAsync(rig.First, guest.Name);
    }

    private async Task<GuestSpec> BootAsync(GuestSpec guest)
    {
        await rig.First.StartGuestAsync(guest, rig.Image, Ct);
        await rig.First.Console(guest.Name).WaitForHeartbeatAsync(0, Deadline, Ct);
        return guest;
    }

    /// <summary>virsh reports a guest whose end libvirt has noticed before it looked as one that was not running.</summary>
    private static async Task EndAsync(LabHost host, string guest)
    {
        await host.VirshAsync(["destroy", guest], Ct);
        Assert.DoesNotContain(guest, (await host.RequireVirshAsync(["list", "--name"], Ct)).Split('\n'));
    }

    /// <summary>
    /// Paused while it is copied: TCG (QEMU 7.2) tells a migration of the first write to a page that its TLB holds, and of no more, so a Linux guest that runs may
    /// arrive with memory that was never its own. Moves of a running guest are tested with one that empties its TLB (tests/Libvirt.Tests).
    /// </summary>
    private async Task MoveAsync(GuestSpec guest, LabHost source, LabHost target, string uri, params string[] how)
    {
        await source.RequireVirshAsync(["suspend", guest.Name], Ct);
        var before = source.Console(guest.Name).LastHeartbeat;
        Assert.True(before > 0);
        await source.RequireVirshAsync(["migrate", "--live", "--persistent", "--undefinesource", .. how, guest.Name, uri], Ct);
        await target.RequireVirshAsync(["resume", guest.Name], Ct);

        await target.Console(guest.Name).WaitForHeartbeatAsync(before, Deadline, Ct);
        Assert.DoesNotContain(guest.Name, await source.RequireVirshAsync(["list", "--all", "--name"], Ct), StringComparison.Ordinal);
    }

    /// <summary>A migration over TCP that takes some twenty seconds, in the middle of its copy.</summary>
    private async Task<Task<ShellResult>> BeginMigrationAsync(GuestSpec guest)
    {
        await rig.First.Console(guest.Name).WaitForAsync("guest: DIRTYING", Deadline, Ct);
        var migration = rig.First.VirshAsync(["migrate", "--live", "--p2p", "--bandwidth", "4", guest.Name, rig.Second.PeerTcpUri], Ct);
        await Until.SomethingAsync(Deadline, async () =>
            migration.IsCompleted || (await rig.First.VirshAsync(["domjobinfo", guest.Name], Ct)).Output.Contains("Memory processed", StringComparison.Ordinal) ? this : null,
            () => "the copy does not begin", Ct);
        Assert.False(migration.IsCompleted);
        return migration;
    }

    /// <summary>The guest runs on the first host, and in the end the second one has nothing of it.</summary>
    private async Task AssertStayedAsync(GuestSpec guest)
    {
        var console = rig.First.Console(guest.Name);
        await console.WaitForHeartbeatAsync(console.LastHeartbeat, Deadline, Ct);
        await Until.SomethingAsync(Deadline, async () =>
            (await rig.Second.RequireVirshAsync(["list", "--all", "--name"], Ct)).Contains(guest.Name, StringComparison.Ordinal) ? null : this,
            () => "the target keeps what arrived of the guest", Ct);
        Assert.Equal("running", await StateAsync(guest));
    }

    private async Task<string> StateAsync(GuestSpec guest) => (await rig.First.RequireVirshAsync(["domstate", guest.Name], Ct)).Trim();
}
