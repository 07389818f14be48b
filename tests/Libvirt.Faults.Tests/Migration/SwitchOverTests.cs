using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Faults.Tests.Migration;

/// <summary>What happens when a word is lost at the very moment at which a guest goes over. libvirt by itself then lets both hosts run it.</summary>
[Collection(nameof(FaultRig))]
public sealed class SwitchOverTests(FaultRig rig)
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    private static readonly CopyOptions Options = new(MigrationMode.PreCopy, 2, TimeSpan.FromSeconds(5), AutoConverge: false);

    /// <summary>Longer than a busy machine needs from one step of the test to the next.</summary>
    private static readonly Hypervisor.Libvirt.Connections.LibvirtOptions Patient = RigFleet.Options with { KeepAliveCount = 12 };

    /// <summary>
    /// The target's daemon is stopped before the switch-over: its order to take the guest over waits unread. Then the wire is cut, and the daemon goes on:
    /// it obeys, and its answer is lost, so that the source takes the migration to have failed and resumes the guest.
    /// </summary>
    [Theory, InlineData("peer-to-peer"), InlineData("direct")]
    public async Task A_cut_at_the_switch_over_leaves_the_guest_running_on_one_host_only(string way)
    {
        await using var fleet = await RigFleet.OpenAsync(rig, labels: new Dictionary<string, string> { ["libvirt-migration"] = way }, options: Patient);
        var vm = await fleet.BootBusyAsync(RigFleet.Vm(1, GuestManner.DirtiesFast));
        await fleet.CopyUntilHeldOrOverAsync(vm, Options);

        await FaultRig.SignalDaemonAsync(rig.Second, "STOP");
        var switching = fleet.Source.Migration.SwitchOverAsync(vm.Ref, Ct);
        // Over already when the machine was so slow that somebody lost patience: then there is nothing to cut, and the rest holds too.
        await RigFleet.UntilAsync(async () => switching.IsCompleted || await FaultRig.StateAsync(rig.First, vm) == "paused" ? "" : null, "the guest is stopped to go over");
        await RigFleet.UntilAsync(async () => switching.IsCompleted || await FaultRig.HasUnreadAsync(rig.Second) ? "" : null, "an order waits for the target's daemon");
        await (way == "direct" ? FaultRig.CutFromMachineAsync(rig.Second) : rig.Rig.CutNetworkAsync(Ct));
        await FaultRig.SignalDaemonAsync(rig.Second, "CONT");
        await FaultRig.UntilStateAsync(rig.First, vm, "running");
        var there = await FaultRig.StateAsync(rig.Second, vm);
        await rig.MendAsync();

        // Ours waits there for a word that never comes, or is gone; libvirt's own would be running.
        Assert.NotEqual("running", there);
        Assert.Equal(SwitchOverResult.StayedOnSource, RigFleet.Ok(await switching));
        await RigFleet.UntilAsync(async () => (await fleet.Target.Migration.DiscardIncomingAsync(vm.Ref, Ct)).Succeeded ? "" : null, "what arrived is discarded");
        Assert.Equal(DomainState.Running, RigFleet.Ok(await fleet.Source.FindDomainAsync(vm.Ref.Vm, Ct))?.State);
        Assert.Null(RigFleet.Ok(await fleet.Target.FindDomainAsync(vm.Ref.Vm, Ct)));
    }
}
