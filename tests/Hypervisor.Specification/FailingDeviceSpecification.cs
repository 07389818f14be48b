using ControlPlane.Domain.Pci;
using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>A device that does not come back from its reset is never called clean.</summary>
public abstract class FailingDeviceSpecification : HypervisorSpecification
{
    [Fact]
    public Task A_failed_reset_is_part_of_the_proof_and_no_fault() => OnFleet(async fleet =>
    {
        var claim = new DeviceClaim(await FirstVirtualFunction(fleet, fleet.Source), First);
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), SettingsFor(1), Ct));
        await fleet.BreakResetAsync(fleet.Source, claim.Address);

        var proof = Ok(await fleet.Source.CleanDeviceAsync(claim, Ct));

        Assert.NotNull(proof.ResetError);
        Assert.Contains("reset failed", proof.Failing(), StringComparison.Ordinal);
    });

    [Fact]
    public Task A_device_that_failed_its_reset_is_kept_from_the_hosts_drivers() => OnFleet(async fleet =>
    {
        var claim = new DeviceClaim(await FirstVirtualFunction(fleet, fleet.Source), First);
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), SettingsFor(1), Ct));
        await fleet.BreakResetAsync(fleet.Source, claim.Address);
        Ok(await fleet.Source.CleanDeviceAsync(claim, Ct));

        var status = await DeviceOf(fleet.Source, claim.Address);
        Assert.Equal("vfio-pci", status?.Driver);
        Assert.Null(status?.Owner);
    });
}
