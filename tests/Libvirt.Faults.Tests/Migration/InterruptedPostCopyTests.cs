using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor;
using ControlPlane.Lab.Guests;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Faults.Tests.Migration;

/// <summary>A wire that breaks while the guest is on one host and part of its memory on the other.</summary>
[Collection(nameof(FaultRig))]
public sealed class InterruptedPostCopyTests(FaultRig rig)
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    private static readonly CopyOptions Options = new(MigrationMode.PostCopy, null, TimeSpan.FromMilliseconds(1), AutoConverge: false);

    /// <summary>A guest with an operating system has enough memory to be caught on its way.</summary>
    [Fact]
    public async Task A_post_copy_that_is_interrupted_is_never_taken_back_and_goes_on_when_the_wire_does()
    {
        // Said to be near its end from the start: so that nearly all of it is still to come when the guest goes over.
        await using var fleet = await RigFleet.OpenAsync(rig, options: RigFleet.Options with { HoldAhead = TimeSpan.FromMinutes(1) });
        var vm = await fleet.BootAsync(RigFleet.Vm(1) with { Image = GuestImage.DiskName, MemoryMiB = 192 });
        await rig.First.RecordConsoleAsync(RigFleet.NameOf(vm), Ct);
        var heartbeat = await rig.First.Console(RigFleet.NameOf(vm)).WaitForHeartbeatAsync(0, RigFleet.Deadline, Ct);
        var incoming = RigFleet.Ok(await fleet.Target.Migration.PrepareIncomingAsync(vm, Ct));
        RigFleet.Ok(await fleet.Source.Migration.BeginCopyAsync(vm.Ref, incoming, Options with { BandwidthMiBPerSecond = 8 }, Ct));
        await fleet.UntilHeldOrOverAsync(vm);
        await rig.First.RequireVirshAsync(["migrate-setspeed", RigFleet.NameOf(vm), "1", "--postcopy"], Ct);

        var switching = fleet.Source.Migration.SwitchOverAsync(vm.Ref, Ct);
        await FaultRig.UntilStateAsync(rig.Second, vm, "running");
        await rig.Rig.CutNetworkAsync(Ct);
        var interrupted = (await switching).Fault;

        Assert.Equal((FaultKind.Unavailable, PostCopy.Interrupted), (interrupted?.Kind, interrupted?.Code));
        Assert.Equal("already-switched", (await fleet.Source.Migration.AbortCopyAsync(vm.Ref, Ct)).Fault?.Code);
        await rig.MendAsync();
        await rig.First.RequireVirshAsync(["migrate-setspeed", RigFleet.NameOf(vm), "1000", "--postcopy"], Ct);
        await RigFleet.UntilAsync(
            async () => await fleet.Source.Migration.SwitchOverAsync(vm.Ref, Ct) is { Succeeded: true, Value: SwitchOverResult.OnTarget } ? "" : null, "the rest comes over");

        Assert.Contains(RigFleet.Ok(await fleet.Source.FindDomainAsync(vm.Ref.Vm, Ct))?.State, new DomainState?[] { null, DomainState.Off });
        await rig.Second.RecordConsoleAsync(RigFleet.NameOf(vm), Ct);
        await rig.Second.Console(RigFleet.NameOf(vm)).WaitForHeartbeatAsync(heartbeat, RigFleet.Deadline, Ct);
    }
}
