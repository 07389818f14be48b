using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Faults.Tests.Migration;

/// <summary>Guests that go over first and have their memory come after.</summary>
[Collection(nameof(FaultRig))]
public sealed class PostCopyTests(FaultRig rig)
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    private static readonly CopyOptions Options = new(MigrationMode.PostCopy, null, TimeSpan.FromMilliseconds(1), AutoConverge: false);

    [Fact]
    public async Task A_guest_that_writes_faster_than_the_wire_carries_goes_over_by_post_copy()
    {
        await using var fleet = await RigFleet.OpenAsync(rig);
        var vm = await fleet.BootBusyAsync(RigFleet.Vm(1, GuestManner.DirtiesFast));
        await fleet.CopyUntilHeldOrOverAsync(vm, Options with { BandwidthMiBPerSecond = 1 });

        Assert.Equal(SwitchOverResult.OnTarget, RigFleet.Ok(await fleet.Source.Migration.SwitchOverAsync(vm.Ref, Ct)));

        Assert.Equal(DomainState.Running, RigFleet.Ok(await fleet.Target.FindDomainAsync(vm.Ref.Vm, Ct))?.State);
        Assert.Null(RigFleet.Ok(await fleet.Source.FindDomainAsync(vm.Ref.Vm, Ct)));
    }
}
