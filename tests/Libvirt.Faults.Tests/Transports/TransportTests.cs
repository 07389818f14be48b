using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Faults.Tests.Transports;

/// <summary>Hosts over the network: in the clear for trying, and by TLS with certificates on both sides.</summary>
[Collection(nameof(FaultRig))]
public sealed class TransportTests(FaultRig rig)
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    private static readonly CopyOptions Options = new(MigrationMode.PreCopy, 2, TimeSpan.FromSeconds(2), AutoConverge: true);

    [Theory, InlineData("tcp", false), InlineData("tls", true)]
    public async Task A_connection_says_whether_it_is_encrypted(string transport, bool encrypted)
    {
        using var connection = await VirConnect.OpenAsync(transport == "tls" ? rig.First.TlsUri : rig.First.TcpUri, RigFleet.Deadline);

        Assert.Equal((encrypted, encrypted), (connection.IsEncrypted(), connection.IsSecure()));
        Assert.Equal(rig.First.Name, connection.GetHostname());
    }

    [Fact]
    public async Task A_session_over_TLS_comes_back_after_its_daemon_was_killed()
    {
        await using var session = VirSession.Start(new VirSessionOptions(rig.Second.TlsUri) { PauseMax = TimeSpan.FromSeconds(1) });
        var first = await session.WaitForConnectionAsync(Ct).WaitAsync(RigFleet.Deadline, Ct);

        await rig.Second.KillDaemonAsync(Ct);
        // TLS calls a connection that ends without its goodbye an error.
        var reason = await first.Closed.WaitAsync(RigFleet.Deadline, Ct);
        await rig.Second.StartDaemonAsync(Ct);

        var second = await RigFleet.UntilAsync(
            async () => await session.WaitForConnectionAsync(Ct).WaitAsync(RigFleet.Deadline, Ct) is var found && found != first ? found : null, "a new connection");
        Assert.Contains(reason, new[] { VirConnectCloseReason.Eof, VirConnectCloseReason.Error });
        Assert.True(second.IsEncrypted());
        Assert.Equal(rig.Second.Name, second.GetHostname());
    }

    [Theory, InlineData("tcp", null, false), InlineData("tls", null, true), InlineData("tls", "false", false)]
    public async Task A_guests_memory_travels_encrypted_as_the_connection_is_or_as_the_label_says(string transport, string? label, bool encrypted)
    {
        var labels = label is null ? null : new Dictionary<string, string> { ["libvirt-migration-tls"] = label };
        await using var fleet = await RigFleet.OpenAsync(rig, transport == "tls" ? Way.Tls : Way.Tcp, labels);
        await MoveAsync(fleet, encrypted);
    }

    [Fact]
    public async Task A_migration_that_the_control_plane_itself_carries_out_is_encrypted_too()
    {
        await using var fleet = await RigFleet.OpenAsync(rig, Way.Tls, new Dictionary<string, string> { ["libvirt-migration"] = "direct" });
        await MoveAsync(fleet, encrypted: true);
    }

    /// <summary>Whether it is, QEMU says that sends it.</summary>
    private async Task MoveAsync(RigFleet fleet, bool encrypted)
    {
        var vm = await fleet.BootBusyAsync(RigFleet.Vm(1, GuestManner.DirtiesFast));
        var incoming = RigFleet.Ok(await fleet.Target.Migration.PrepareIncomingAsync(vm, Ct));
        RigFleet.Ok(await fleet.Source.Migration.BeginCopyAsync(vm.Ref, incoming, Options, Ct));

        await rig.UntilMigratesAsync(RigFleet.NameOf(vm));
        var parameters = await rig.First.RequireVirshAsync(["qemu-monitor-command", RigFleet.NameOf(vm), """{"execute":"query-migrate-parameters"}"""], Ct);
        await fleet.UntilHeldOrOverAsync(vm);
        Assert.Equal(SwitchOverResult.OnTarget, RigFleet.Ok(await fleet.Source.Migration.SwitchOverAsync(vm.Ref, Ct)));

        Assert.Equal(encrypted, parameters.Contains("\"tls-creds\":\"objlibvirt_migrate_tls0\"", StringComparison.Ordinal));
        Assert.Equal(DomainState.Running, RigFleet.Ok(await fleet.Target.FindDomainAsync(vm.Ref.Vm, Ct))?.State);
        Assert.Null(RigFleet.Ok(await fleet.Source.FindDomainAsync(vm.Ref.Vm, Ct)));
    }
}
