using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Net;

/// <summary>What a NIC's hardware has, whatever is asked of it.</summary>
public sealed class NicLimitsTests : EmulatedTest
{
    [Theory]
    [InlineData(0x8086, 0x10c9, 8, 2)] // 82576
    [InlineData(0x8086, 0x1528, 63, 2)] // X540
    [InlineData(0x8086, 0x1572, 64, 16)] // X710
    [InlineData(0x15b3, 0x1017, 127, 63)] // ConnectX-5
    public void A_model_has_its_functions_and_queues(ushort vendor, ushort device, int functions, int queuePairs)
    {
        var limits = NicLimits.Of(vendor, device);

        Assert.Equal((functions, queuePairs), (limits.VirtualFunctions, limits.QueuePairs));
    }

    [Fact] // 82576: two queue pairs for each function.
    public Task A_driver_that_asks_for_more_queues_gets_what_the_function_has() => OnTestFleet(async fleet =>
    {
        var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet, devices: device), (GuestLabels.Queues, "4")));
        await Pass(fleet, 10);
        Ok(await fleet.Source.PingAsync(Ct));

        var domain = DomainOf(fleet.Source, definition);
        var nic = Assert.IsType<FunctionNic>(ModelOf(fleet.Source).HoldNetwork(domain, this).Carrier?.Nic);

        Assert.Equal(2, nic.QueuePairs);
        Assert.Equal(2, Assert.Single(domain.Nics.All)[NicCount.RefusedQueues]);
    });
}
