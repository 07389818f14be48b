using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Lab;
using ControlPlane.Lab.Hosts;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Faults.Tests.Transports;

/// <summary>Hosts behind a real OpenSSH server. No key goes unverified.</summary>
[Collection(nameof(FaultRig))]
public sealed class SshTests(FaultRig rig) : IAsyncLifetime
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    private static readonly CopyOptions Options = new(MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), AutoConverge: true);

    private static readonly string Packages = Path.Combine(TwoHostsOptions.LabDirectory, "openssh");

    private readonly Dictionary<LabHost, SshServer> servers = [];

    public async ValueTask InitializeAsync()
    {
        foreach (var host in rig.Rig.Hosts)
            servers[host] = await SshServer.StartAsync(host, Packages, Ct);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers.Values)
            await server.DisposeAsync();
    }

    [Fact]
    public async Task A_connection_by_ssh_is_secure_and_to_the_host_it_names()
    {
        using var connection = await VirConnect.OpenAsync(UriOf(rig.First), RigFleet.Deadline);

        // libvirt calls encrypted only what it encrypts itself; secure is what nobody else can read.
        Assert.Equal((false, true), (connection.IsEncrypted(), connection.IsSecure()));
        Assert.Equal(rig.First.Name, connection.GetHostname());
    }

    [Fact]
    public async Task A_guest_moves_between_hosts_that_are_reached_by_ssh()
    {
        await using var fleet = await RigFleet.OpenAsync(rig, new Way(host => UriOf(host), host => host.PeerTcpUri));
        var vm = await fleet.BootBusyAsync(RigFleet.Vm(1, GuestManner.DirtiesFast));
        await fleet.CopyUntilHeldOrOverAsync(vm, Options);

        Assert.Equal(SwitchOverResult.OnTarget, RigFleet.Ok(await fleet.Source.Migration.SwitchOverAsync(vm.Ref, Ct)));

        Assert.Equal(DomainState.Running, RigFleet.Ok(await fleet.Target.FindDomainAsync(vm.Ref.Vm, Ct))?.State);
        Assert.Null(RigFleet.Ok(await fleet.Source.FindDomainAsync(vm.Ref.Vm, Ct)));
    }

    [Fact]
    public async Task A_key_that_the_host_does_not_take_is_refused_and_the_fault_says_what_the_host_wants()
    {
        var fault = await RefusedAsync(UriOf(rig.First, key: servers[rig.First].StrangersKeyFile));

        Assert.Contains("The host takes none of this machine's keys", fault.Detail, StringComparison.Ordinal);
        Assert.Contains("authorized_keys of 'root@", fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_whose_key_is_not_known_is_not_trusted()
    {
        var fault = await RefusedAsync(UriOf(rig.First, known: servers[rig.Second].KnownHostsFile));

        Assert.Contains("This machine does not know the host's key", fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_with_another_key_than_the_known_one_is_not_trusted()
    {
        var fault = await RefusedAsync(UriOf(rig.First, known: servers[rig.First].ForgedHostsFile));

        Assert.Contains("This machine knows the host by another key", fault.Detail, StringComparison.Ordinal);
    }

    [Theory, InlineData("libssh"), InlineData("libssh2")]
    public async Task SSH_inside_the_server_is_refused(string transport)
    {
        await using var fleet = new LibvirtFleet(RigFleet.Options, TimeProvider.System);

        var fault = (await fleet.OpenAsync(RigFleet.HostAt("hv1", $"qemu+{transport}://{servers[rig.First].Authority}/system"), Ct)).Fault;

        Assert.Equal("backend-uri", fault?.Code);
        Assert.EndsWith("use qemu+ssh, which runs the ssh program.", fault?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void The_shell_on_the_host_comes_with_the_keys_of_the_URI()
    {
        var settings = HostSettings.Of(RigFleet.HostAt("hv1", UriOf(rig.First))).Value;

        Assert.Equal("hv1", HostShell.For(settings, template: null)!.Run("hostname").Value);
    }

    /// <summary>libvirt has no parameter for the known hosts of the ssh program, which reads its user's: here a program that names others.</summary>
    private string UriOf(LabHost host, string? key = null, string? known = null)
    {
        var server = servers[host];
        return $"qemu+ssh://{server.Authority}/system?keyfile={key ?? server.KeyFile}&command={ProgramFor(known ?? server.KnownHostsFile)}&no_tty=1";
    }

    private static string ProgramFor(string knownHosts)
    {
        var program = $"{knownHosts}.sh";
        File.WriteAllText(program, $"#!/bin/sh\nexec ssh -F none -o IdentitiesOnly=yes -o UserKnownHostsFile='{knownHosts}' -o GlobalKnownHostsFile=none \"$@\"\n");
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return program;
    }

    private static async Task<Fault> RefusedAsync(string uri)
    {
        await using var fleet = new LibvirtFleet(RigFleet.Options, TimeProvider.System);

        var fault = (await fleet.OpenAsync(RigFleet.HostAt("hv1", uri), Ct)).Fault;

        Assert.Equal((FaultKind.Unavailable, "host-unavailable"), (fault?.Kind, fault?.Code));
        return fault!;
    }
}
