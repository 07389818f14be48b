using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;
using ControlPlane.Testing.Libvirt;

namespace ControlPlane.Libvirt.Faults.Tests.Migration;

/// <summary>A wire that breaks while the guest is on one host and part of its memory on the other.</summary>
[Collection(nameof(FaultRig))]
public sealed class InterruptedPostCopyTests(FaultRig rig)
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    /// <summary>Nine bytes for each empty page of <see cref="MemoryMiB"/>: the guest is on its way for nine seconds.</summary>
    private static readonly CopyOptions Slow = new(MigrationMode.PostCopy, BandwidthMiBPerSecond: 1, TimeSpan.FromMilliseconds(1), AutoConverge: false);

    private const int MemoryMiB = 4096;

    [Fact]
    public async Task A_post_copy_that_is_interrupted_is_never_taken_back_and_goes_on_when_the_wire_does()
    {
        await using var fleet = await OpenAsync();
        var vm = await InterruptAsync(fleet);

        Assert.Equal("already-switched", (await fleet.Source.Migration.AbortCopyAsync(vm.Ref, Ct)).Fault?.Code);
        await rig.MendAsync();

        await MustComeOverAsync(fleet, vm);
    }

    [Fact]
    public async Task A_post_copy_that_has_lost_its_connection_is_continued_over_a_new_one()
    {
        await using var fleet = await OpenAsync();
        var vm = await InterruptAsync(fleet);
        await rig.EndMigrationConnectionsAsync();
        await UntilSourceIsAsync(vm, "postcopy-paused");
        await rig.MendAsync();

        await MustComeOverAsync(fleet, vm);
    }

    /// <summary>libvirt takes no notice of QEMU's word that all has come over while it is being asked to continue.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_post_copy_of_which_libvirt_missed_the_end_has_ended(bool destroyedByAnOperator)
    {
        await using var fleet = await OpenAsync();
        var vm = await InterruptAsync(fleet);
        var name = RigFleet.NameOf(vm);
        await FaultRig.SignalDaemonAsync(rig.Second, "STOP");
        var asked = rig.First.VirshAsync(["migrate", "--live", "--p2p", "--postcopy", "--postcopy-resume", name, rig.Second.PeerTcpUri], Ct);
        await RigFleet.UntilAsync(
            async () => (await rig.First.ExecuteAsync(["grep", "phase='begin_resume'", $"/run/libvirt/qemu/{name}.xml"], Ct)).Succeeded ? "" : null, "libvirt begins to continue");
        await rig.Rig.RestoreNetworkAsync(Ct);
        await UntilSourceIsAsync(vm, "completed");
        await FaultRig.SignalDaemonAsync(rig.Second, "CONT");
        Assert.Contains("still running", (await asked).Output, StringComparison.Ordinal);
        Assert.Equal("paused", await FaultRig.StateAsync(rig.First, vm));
        if (destroyedByAnOperator)
            await rig.First.RequireVirshAsync(["destroy", name], Ct);

        await MustComeOverAsync(fleet, vm);
    }

    /// <summary>Said to be near their end from the start: so that nearly all of a guest is still to come when it goes over.</summary>
    private Task<RigFleet> OpenAsync() => RigFleet.OpenAsync(rig, options: RigFleet.Options with { HoldAhead = TimeSpan.FromMinutes(1) });

    /// <summary>The guest runs on the second host, most of its memory is on the first, and there is no wire between them.</summary>
    private async Task<DomainDefinition> InterruptAsync(RigFleet fleet)
    {
        var vm = await fleet.BootBusyAsync(RigFleet.Vm(1, GuestManner.DirtiesFast) with { MemoryMiB = MemoryMiB });
        await fleet.CopyUntilHeldOrOverAsync(vm, Slow);
        var switching = fleet.Source.Migration.SwitchOverAsync(vm.Ref, Ct);
        await FaultRig.UntilStateAsync(rig.Second, vm, "running");
        await rig.Rig.CutNetworkAsync(Ct);
        var interrupted = (await switching).Fault;
        Assert.Equal((FaultKind.Unavailable, PostCopy.Interrupted), (interrupted?.Kind, interrupted?.Code));
        // What is left need not be waited for.
        await rig.First.RequireVirshAsync(["migrate-setspeed", RigFleet.NameOf(vm), "1000", "--postcopy"], Ct);
        return vm;
    }

    /// <summary>In QEMU's words, whatever libvirt takes it to be. Those of the target's QEMU cannot be asked for while libvirt waits for the guest there.</summary>
    private Task UntilSourceIsAsync(DomainDefinition vm, string status)
    {
        var guest = new GuestProcess(rig.First, RigFleet.NameOf(vm));
        string? last = null;
        return RigFleet.UntilAsync(async () => (last = await guest.MigrationStatusAsync()) == status ? last : null, () => $"QEMU's migration is {status}; it is {last}");
    }

    private async Task MustComeOverAsync(RigFleet fleet, DomainDefinition vm)
    {
        var last = "";
        await RigFleet.UntilAsync(async () =>
        {
            var now = await fleet.Source.Migration.SwitchOverAsync(vm.Ref, Ct);
            last = now.Match(where => where.ToString(), fault => fault.ToString());
            return now is { Succeeded: true, Value: SwitchOverResult.OnTarget } ? "" : null;
        }, () => $"the rest comes over; it was {last}");

        Assert.Equal(DomainState.Running, RigFleet.Ok(await fleet.Target.FindDomainAsync(vm.Ref.Vm, Ct))?.State);
        Assert.Contains(RigFleet.Ok(await fleet.Source.FindDomainAsync(vm.Ref.Vm, Ct))?.State, new DomainState?[] { null, DomainState.Off });
        await FaultRig.UntilWritesAsync(rig.Second, RigFleet.NameOf(vm));
    }
}
