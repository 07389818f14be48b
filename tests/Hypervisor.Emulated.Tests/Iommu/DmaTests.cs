using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Iommu;

/// <summary>A device reaches its own guest's memory, and nothing else.</summary>
public sealed class DmaTests : EmulatedTest
{
    private static bool Write(TestFleet fleet, PciAddress address, long at, params byte[] data)
    {
        var function = ModelOf(fleet.Source).Tree.Find(address)!;
        return ModelOf(fleet.Source).Iommu.Write(address, function.IommuGroup, at, data);
    }

    private static byte ReadByte(GuestMemory memory, long at)
    {
        Span<byte> read = stackalloc byte[1];
        memory.Read(at, read);
        return read[0];
    }

    [Fact]
    public Task A_device_writes_into_its_guests_memory_and_the_page_is_dirty() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var memory = DomainOf(fleet.Source, definition).Memory!;
        memory.StartDirtyLog();

        Assert.True(Write(fleet, definition.Devices[0].Claim.Address, (7 * GuestMemory.PageBytes) - 1, 0xaa, 0xbb));

        Assert.Equal((0xaa, 0xbb), (ReadByte(memory, (7 * GuestMemory.PageBytes) - 1), ReadByte(memory, 7 * GuestMemory.PageBytes)));
        var dirty = memory.TakeDirty();
        Assert.Equal(2, dirty.Count);
        Assert.True(dirty.Contains(6) && dirty.Contains(7));
        Assert.Equal(0, memory.DirtyPages);
    });

    [Fact]
    public Task A_write_beyond_the_guests_memory_is_blocked_and_recorded() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var (address, end) = (definition.Devices[0].Claim.Address, DomainOf(fleet.Source, definition).Memory!.Bytes);

        Assert.False(Write(fleet, address, end - 1, 1, 2));

        var fault = Assert.Single(ModelOf(fleet.Source).Iommu.Faults);
        Assert.Equal((address, end, DmaFaultReason.NotMapped), (fault.Requester, fault.Address, fault.Reason));
        Assert.Equal(0, ReadByte(DomainOf(fleet.Source, definition).Memory!, end - 1));
    });

    [Fact]
    public Task After_an_unplug_the_devices_writes_fault() => OnTestFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var address = definition.Devices[0].Claim.Address;
        Assert.True(Write(fleet, address, 0, 1));
        Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct));

        Assert.False(Write(fleet, address, 0, 2));

        var fault = Assert.Single(ModelOf(fleet.Source).Iommu.Faults);
        Assert.Equal((address, DmaFaultReason.NoDomain, fleet.Time.GetUtcNow()), (fault.Requester, fault.Reason, fault.At));
        Assert.False(ModelOf(fleet.Source).Tree.Find(address)!.CanMaster);
    });

    [Fact] // PAINS: a device reclaimed in the middle of its work must never write into the next owner's memory.
    public Task A_late_write_never_lands_in_the_next_guest_that_got_the_frames() => OnTestFleet(async fleet =>
    {
        var first = await RunWithDevice(fleet);
        var frame = DomainOf(fleet.Source, first).FirstFrame;
        Ok(await fleet.Source.DestroyAsync(first.Ref, Ct));
        var second = await Run(fleet);
        Assert.Equal(frame, DomainOf(fleet.Source, second).FirstFrame);

        Assert.False(Write(fleet, first.Devices[0].Claim.Address, 0, 0x66));

        Assert.Equal(0, ReadByte(DomainOf(fleet.Source, second).Memory!, 0));
    });

    [Fact]
    public Task Devices_of_two_guests_write_to_the_same_address_in_two_memories() => OnTestFleet(async fleet =>
    {
        var functions = await VirtualFunctionsOf(fleet, fleet.Source);
        var first = await RunWithDevice(fleet);
        var second = await Launch(fleet, NewDefinition(fleet, devices: Device(functions[1].Address, number: 2)));

        Assert.True(Write(fleet, functions[0].Address, 4096, 1));
        Assert.True(Write(fleet, functions[1].Address, 4096, 2));

        Assert.Equal(1, ReadByte(DomainOf(fleet.Source, first).Memory!, 4096));
        Assert.Equal(2, ReadByte(DomainOf(fleet.Source, second).Memory!, 4096));
    });

    [Fact]
    public Task Fault_records_are_bounded_and_all_are_counted() => OnTestFleet(async fleet =>
    {
        var address = await FirstVirtualFunction(fleet, fleet.Source);
        for (var i = 0; i < DmaRemapper.MaxFaults + 10; i++)
            Assert.False(Write(fleet, address, i * GuestMemory.PageBytes, 1));

        var iommu = ModelOf(fleet.Source).Iommu;
        Assert.Equal(DmaRemapper.MaxFaults, iommu.Faults.Count);
        Assert.Equal(DmaRemapper.MaxFaults + 10, iommu.FaultCount);
        Assert.Equal(10 * GuestMemory.PageBytes, iommu.Faults.First().Address);
    });

    [Fact]
    public Task The_hosts_memory_for_tables_is_also_that_of_its_devices_domains_and_comes_back() => OnTestFleet(async fleet =>
    {
        var memory = ModelOf(fleet.Source).Memory;
        var before = memory.TableFrames;
        var definition = await RunWithDevice(fleet);
        var domain = DomainOf(fleet.Source, definition);
        var tables = domain.Dma!.Tables.Bytes;
        Assert.True(tables >= 2 * GuestMemory.PageBytes, $"{tables} bytes");
        Assert.True((memory.TableFrames - before) * GuestMemory.PageBytes >= tables);

        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));

        Assert.Equal(before, memory.TableFrames);
    });

    [Fact]
    public void A_domain_maps_and_unmaps_page_by_page()
    {
        var domain = new ProtectionDomain(new HostMemory());
        domain.Map(10, 1000, 10, writable: true);
        domain.Unmap(13, 4);

        Assert.Equal(
            [1000, 1001, 1002, null, null, null, null, 1007, 1008, 1009], Enumerable.Range(10, 10).Select(p => domain.Translate(p)?.Frame));
        Assert.Equal(6, domain.MappedPages);
        domain.Map(13, 2000, 4, writable: false);
        Assert.Equal((2001, false), domain.Translate(14));
        Assert.Throws<InvalidOperationException>(() => domain.Map(9, 1, 2, writable: true));
    }
}
