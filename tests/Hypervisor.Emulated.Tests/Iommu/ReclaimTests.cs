using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Iommu;

/// <summary>A device that is taken away in the middle of its work, and devices that are one to the IOMMU.</summary>
public sealed class ReclaimTests : EmulatedTest
{
    private static readonly PciAddress First7 = PciAddress.Parse("0000:07:01.0");
    private static readonly PciAddress Second7 = PciAddress.Parse("0000:07:02.0");

    private static byte ReadByte(GuestMemory memory, long at)
    {
        Span<byte> read = stackalloc byte[1];
        memory.Read(at, read);
        return read[0];
    }

    [Fact] // The device's translations are hot in the IOTLB when its guest goes, and the next guest gets the very frames.
    public Task A_device_reclaimed_in_the_middle_of_DMA_faults_and_never_writes_into_the_next_owners_memory() => OnTestFleet(async fleet =>
    {
        var model = ModelOf(fleet.Source);
        var first = await RunWithDevice(fleet);
        var (address, frame) = (first.Devices[0].Claim.Address, DomainOf(fleet.Source, first).FirstFrame);
        var function = model.Tree.Find(address)!;
        Assert.True(model.Iommu.Write(address, function.IommuGroup, 0x5000, [0x11]));
        Assert.True(model.Iommu.Write(address, function.IommuGroup, 0x5000, [0x11]));
        Assert.NotEqual(0, model.Iommu.Iotlb.Hits);

        Ok(await fleet.Source.DestroyAsync(first.Ref, Ct));
        var second = await Run(fleet);
        Assert.Equal(frame, DomainOf(fleet.Source, second).FirstFrame);
        Assert.False(function.CanMaster);
        Assert.False(model.Iommu.Write(address, function.IommuGroup, 0x5000, [0x66]));

        Assert.Equal(0, ReadByte(DomainOf(fleet.Source, second).Memory!, 0x5000));
        var fault = Assert.Single(Ok(await fleet.Source.Statistics.ReadHostStatisticsAsync(Ct)).DmaFaults);
        Assert.Equal((address, 0x5000, true, "no-domain"), (fault.Requester, fault.Address, fault.IsWrite, fault.Reason));
    });

    [Fact] // Why the order matters: the same with the invalidation forgotten.
    public Task Without_the_invalidation_the_write_would_land_in_the_next_owners_memory() => OnTestFleet(async fleet =>
    {
        var model = ModelOf(fleet.Source);
        var first = await RunWithDevice(fleet);
        var (address, domain) = (first.Devices[0].Claim.Address, DomainOf(fleet.Source, first));
        var group = model.Tree.Find(address)!.IommuGroup;
        Assert.True(model.Iommu.Write(address, group, 0x5000, [0x11]));

        var (dma, frame) = (domain.Dma!, domain.FirstFrame);
        dma.Unmap(0, domain.Memory!.Pages);
        model.Memory.Free(frame);
        var next = new GuestMemory(domain.Memory.Bytes);
        Assert.Equal(frame, model.Memory.Allocate(next));

        Assert.True(model.Iommu.Write(address, group, 0x5000, [0x66]));
        Assert.Equal(0x66, ReadByte(next, 0x5000));
        model.Iommu.Unmap(dma, 0, domain.Memory.Pages);
        Assert.False(model.Iommu.Write(address, group, 0x5000, [0x77]));
        Assert.Equal(0x66, ReadByte(next, 0x5000));
    });

    [Fact]
    public Task Devices_behind_a_bridge_to_conventional_PCI_are_one_requester_and_share_its_domain() => OnTestFleet(async fleet =>
    {
        var model = ModelOf(fleet.Source);
        var definition = NewDefinition(fleet, devices: Device(First7) with { Settings = DeviceSettings.None });
        Ok(await fleet.Source.PrepareDeviceAsync(new DeviceClaim(Second7, First), definition.Ref.Vm, DeviceSettings.None, Ct));
        var alias = model.Tree.RequesterIdOf(First7);
        Assert.Equal((PciAddress.Parse("0000:07:00.0"), alias), (alias, model.Tree.RequesterIdOf(Second7)));
        var group = model.Tree.Find(First7)!.IommuGroup;
        Assert.False(model.Iommu.Write(Second7, group, 0x1000, [1]));
        Assert.Equal(alias, model.Iommu.Faults.Last().Requester);

        await Launch(fleet, definition);

        Assert.True(model.Iommu.Write(First7, group, 0x1000, [1]));
        // The IOMMU cannot tell them apart: what was opened for one is open for the other.
        Assert.True(model.Iommu.Write(Second7, group, 0x1000, [2]));
        Assert.Equal(2, ReadByte(DomainOf(fleet.Source, definition).Memory!, 0x1000));
    });

    [Fact]
    public Task The_walks_and_caches_of_a_running_guests_device_show_in_the_statistics() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var (model, address) = (ModelOf(fleet.Source), definition.Devices[0].Claim.Address);
        for (var i = 0; i < 3; i++)
            model.Iommu.Write(address, model.Tree.Find(address)!.IommuGroup, 0x5000, [1]);

        var host = Ok(await fleet.Source.Statistics.ReadHostStatisticsAsync(Ct)).Groups;
        var guest = Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct)).Groups;

        long Of(IReadOnlyList<Domain.Statistics.CounterGroup> groups, string group, string name) =>
            groups.Single(g => g.Name == group).Counters.Single(c => c.Name == name).Value;
        Assert.Equal((2, 1), (Of(host, "iotlb", "hits"), Of(host, "iotlb", "walks")));
        Assert.Equal((3, definition.MemoryMiB * 256), (Of(guest, "dma", "writes"), Of(guest, "dma", "mapped-pages")));
    });
}
