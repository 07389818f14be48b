using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Nics;

/// <summary>A function in a guest reads and writes the guest's rings itself, and only through the IOMMU.</summary>
public sealed class FunctionTests : EmulatedTest
{
    [Fact]
    public Task Descriptors_and_frames_are_fetched_by_DMA_and_the_guest_is_never_left() => OnTestFleet(async fleet =>
    {
        var (domain, wired) = await LaunchWithFunction(fleet);
        var iommu = ModelOf(fleet.Source).Iommu;
        var (reads, writes) = (iommu.ReadCount, iommu.WriteCount);

        wired.Nic.Send(To(wired));
        await Pass(fleet, 1);
        Ok(await fleet.Source.PingAsync(Ct));

        // A descriptor and a frame are read, the descriptor's status is written back.
        Assert.Equal((2, 1), (iommu.ReadCount - reads, iommu.WriteCount - writes));
        Assert.Equal(0, domain.Nics.All[0][NicCount.Exits]);
        Assert.True(domain.Nics.All[0][NicCount.PostedInterrupts] > 0);
    });

    [Fact]
    public Task A_function_that_may_not_master_the_bus_sends_nothing() => OnTestFleet(async fleet =>
    {
        var (domain, wired) = await LaunchWithFunction(fleet);
        var host = ModelOf(fleet.Source);
        host.Tree.Find(domain.Definition.Devices[0].Claim.Address)!.SetBusMaster(on: false);
        var (faults, wire) = (domain.Nics.All[0][NicCount.DmaFaults], host.Network.SwitchOf(FunctionOf(fleet, domain)).WireFrames);

        wired.Nic.Send(To(wired));
        await Pass(fleet, 1);

        Assert.Equal(1, domain.Nics.All[0][NicCount.DmaFaults] - faults);
        Assert.Equal(wire, host.Network.SwitchOf(FunctionOf(fleet, domain)).WireFrames);
    });

    [Fact]
    public Task A_ring_outside_of_the_guests_domain_is_a_recorded_fault() => OnTestFleet(async fleet =>
    {
        var (domain, wired) = await LaunchWithFunction(fleet);
        var host = ModelOf(fleet.Source);
        host.Iommu.Unmap(domain.Dma!, 0, domain.Memory!.Pages);

        wired.Nic.Send(To(wired));
        await Pass(fleet, 1);

        var fault = Assert.Single(host.Iommu.Faults);
        Assert.Equal((domain.Definition.Devices[0].Claim.Address, false), (fault.Requester, fault.IsWrite));
    });

    [Fact]
    public Task A_rate_holds_frames_back_in_the_ring_and_loses_none() => OnTestFleet(async fleet =>
    {
        var (domain, wired) = await LaunchWithFunction(fleet, s => s with { MaxTxRateMbps = 10 });
        var host = ModelOf(fleet.Source);
        var before = host.Network.SwitchOf(FunctionOf(fleet, domain)).WireFrames;
        using (host.Clock.Enter())
        {
            for (var n = 0; n < 120; n++)
                wired.Nic.Send(To(wired));
        }
        var atOnce = host.Network.SwitchOf(FunctionOf(fleet, domain)).WireFrames - before;
        await Pass(fleet, 1);
        Ok(await fleet.Source.PingAsync(Ct));

        Assert.InRange(atOnce, 1, 60);
        Assert.Equal(120, host.Network.SwitchOf(FunctionOf(fleet, domain)).WireFrames - before);
        Assert.Equal(0, domain.Nics.All[0][NicCount.DroppedFrames]);
    });

    private static Frame To(WiredNic wired) => new(wired.Mac, MacOf(99), null, Frame.TrafficType, new byte[1500]);

    private static EmulatedFunction FunctionOf(TestFleet fleet, EmulatedDomain domain) =>
        ModelOf(fleet.Source).Tree.Find(domain.Definition.Devices[0].Claim.Address)!;

    private async Task<(EmulatedDomain Domain, WiredNic Nic)> LaunchWithFunction(TestFleet fleet, Func<DeviceSettings, DeviceSettings>? with = null)
    {
        var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
        device = device with { Settings = with?.Invoke(device.Settings) ?? device.Settings };
        var definition = await Launch(fleet, NewDefinition(fleet, devices: device));
        await Pass(fleet, 10);
        Ok(await fleet.Source.PingAsync(Ct));
        var domain = DomainOf(fleet.Source, definition);
        return (domain, ModelOf(fleet.Source).HoldNetwork(domain, this).Carrier!);
    }
}
