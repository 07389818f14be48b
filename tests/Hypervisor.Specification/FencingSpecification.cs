using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>An action that a newer one has overtaken is refused, whatever it would do.</summary>
public abstract class FencingSpecification : HypervisorSpecification
{
    [Fact]
    public Task Actions_of_an_older_operation_are_refused() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet);
        Ok(await fleet.Source.PauseAsync(At(definition.Ref, 5), Ct));

        var late = At(definition.Ref, 4);
        Refused("stale-epoch", await fleet.Source.ResumeAsync(late, Ct));
        Refused("stale-epoch", await fleet.Source.DestroyAsync(late, Ct));
        Refused("stale-epoch", await fleet.Source.StartAsync(late, Ct));
        Refused("stale-epoch", await fleet.Source.RebootAsync(late, Ct));
        Refused("stale-epoch", await fleet.Source.UndefineAsync(late, DiskFate.Delete, Ct));
        Refused("stale-epoch", await fleet.Source.DefineAsync(definition with { Ref = late }, Ct));
        Refused("stale-epoch", await fleet.Source.ShutdownAsync(late, Patience, Ct));
        Refused("stale-epoch", await fleet.Source.UnplugAsync(late, "net0", Patience, Ct));
        Refused("stale-epoch", await fleet.Source.SetStandbyLinkAsync(late, "net0", false, Ct));
        Refused("stale-epoch", await fleet.Source.Migration.AbortCopyAsync(late, Ct));

        Assert.Equal(DomainState.Paused, await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task A_late_create_of_a_deleted_domain_is_refused() => OnFleet(async fleet =>
    {
        var definition = NewDefinition(fleet);
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        Ok(await fleet.Source.UndefineAsync(At(definition.Ref, 2), DiskFate.Delete, Ct));

        Refused("stale-epoch", await fleet.Source.DefineAsync(definition, Ct));

        Assert.Null(await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task A_late_cleanup_does_not_reach_the_next_owner() => OnFleet(async fleet =>
    {
        var address = await FirstVirtualFunction(fleet, fleet.Source);
        var next = new DeviceClaim(address, new Generation(8));
        Ok(await fleet.Source.PrepareDeviceAsync(next, NewVm(), SettingsFor(8), Ct));

        var late = new DeviceClaim(address, new Generation(7));
        Refused("stale-generation", await fleet.Source.CleanDeviceAsync(late, Ct));
        Refused("stale-generation", await fleet.Source.PrepareDeviceAsync(late, NewVm(), SettingsFor(7), Ct));

        Assert.Equal(SettingsFor(8), (await DeviceOf(fleet.Source, address))?.Settings);
    });

    [Fact]
    public Task A_late_preparation_does_not_undo_the_cleaning() => OnFleet(async fleet =>
    {
        var address = await FirstVirtualFunction(fleet, fleet.Source);
        var claim = new DeviceClaim(address, First);
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), SettingsFor(1), Ct));
        Ok(await fleet.Source.CleanDeviceAsync(claim, Ct));

        Refused("stale-generation", await fleet.Source.PrepareDeviceAsync(claim, NewVm(), SettingsFor(1), Ct));
    });

    [Fact]
    public Task A_device_is_not_plugged_under_an_old_claim() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet);
        var address = await FirstVirtualFunction(fleet, fleet.Source);
        Ok(await fleet.Source.PrepareDeviceAsync(new DeviceClaim(address, new Generation(3)), definition.Ref.Vm, SettingsFor(1), Ct));

        Refused("stale-generation", await fleet.Source.PlugAsync(definition.Ref, Device(address, generation: 2), Ct));
    });
}
