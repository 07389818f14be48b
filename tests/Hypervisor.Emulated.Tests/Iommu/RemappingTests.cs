using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Tests.Iommu;

/// <summary>Tables, caches and queue of the IOMMU, without a host around them.</summary>
public sealed class RemappingTests : IDisposable
{
    private const int Group = 7;
    private const long GiB = 1L << 30;
    private static readonly PciAddress Nic = PciAddress.Parse("0000:41:00.0");
    private static readonly PciAddress Neighbour = PciAddress.Parse("0000:41:00.1");

    private readonly ModelClock clock = new(new VirtualTime());
    private readonly HostMemory host = new();
    private readonly DmaRemapper iommu;

    public RemappingTests() => iommu = new DmaRemapper(host, clock);

    public void Dispose() => clock.Dispose();

    private (ProtectionDomain Domain, GuestMemory Memory, long Frame) Guest(long bytes, PciAddress function, int group = Group)
    {
        var memory = new GuestMemory(bytes);
        var frame = host.Allocate(memory);
        var domain = new ProtectionDomain(host);
        domain.Map(0, frame, memory.Pages, writable: true);
        iommu.Attach(group, domain, [function]);
        return (domain, memory, frame);
    }

    private static byte ReadByte(GuestMemory memory, long at)
    {
        Span<byte> read = stackalloc byte[1];
        memory.Read(at, read);
        return read[0];
    }

    [Fact]
    public void A_guest_of_4_GiB_takes_a_few_tables_of_large_pages()
    {
        var (domain, memory, _) = Guest(4 * GiB, Nic);

        Assert.Equal(memory.Pages, domain.MappedPages);
        Assert.InRange(domain.Tables.Bytes, 8192, 6 * 4096);
    }

    [Fact]
    public void Tables_lie_in_frames_of_the_host_and_are_given_back_whole()
    {
        var before = host.TableFrames;
        var tables = new SecondLevelTables(host);
        tables.Map(1, 0x1_0001, 1000, true, true);
        tables.Map(0x40000, 0x80000, 0x40000, true, true);
        Assert.Equal((host.TableFrames - before) * GuestMemory.PageBytes, tables.Bytes);
        Assert.True(host.TableFrames - before >= 4, $"{host.TableFrames - before} tables");

        tables.Release();
        tables.Release();

        Assert.Equal((before, 0, 0), (host.TableFrames, tables.Bytes, tables.MappedPages));
        Assert.Null(tables.Walk(1, out _));
    }

    [Fact]
    public void Small_pages_are_walked_in_four_references_and_large_ones_in_three_or_two()
    {
        var tables = new SecondLevelTables(host);
        tables.Map(0x1, 0x1, 1, true, true);
        tables.Map(0x200, 0x400, 0x200, true, true);
        tables.Map(0x40000, 0x80000, 0x40000, true, true);

        Assert.Equal((1, 4), (tables.Walk(0x1, out var small)!.Value.Level, small));
        Assert.Equal((2, 3), (tables.Walk(0x2ff, out var large)!.Value.Level, large));
        Assert.Equal((3, 2), (tables.Walk(0x4ffff, out var huge)!.Value.Level, huge));
        Assert.Equal(0x8ffff, tables.Walk(0x4ffff, out _)!.Value.Frame);
        Assert.Null(tables.Walk(0x2, out _));
    }

    [Fact]
    public void A_large_page_that_is_hit_in_the_middle_is_split_and_empty_tables_go()
    {
        var tables = new SecondLevelTables(host);
        var empty = tables.Bytes;
        tables.Map(0, 0x40000, 0x40000, true, true);

        tables.Unmap(0x12345, 1);

        Assert.Equal(0x40000 - 1, tables.MappedPages);
        Assert.Null(tables.Walk(0x12345, out _));
        Assert.Equal((0x40000 + 0x12346, 1), (tables.Walk(0x12346, out _)!.Value.Frame, tables.Walk(0x12346, out _)!.Value.Level));
        Assert.Equal(2, tables.Walk(0x12345 + 0x200, out _)!.Value.Level);
        tables.Unmap(0, 0x40000);
        Assert.Equal((0, empty), (tables.MappedPages, tables.Bytes));
    }

    [Fact]
    public void The_second_access_to_a_page_walks_nothing()
    {
        Guest(GiB, Nic);
        iommu.Write(Nic, Group, 0x5000, [1]);
        var (walks, references) = (iommu.Translator.Walks, iommu.Translator.TableReferences);

        iommu.Write(Nic, Group, 0x5000, [2]);

        Assert.Equal((walks, references, 1), (iommu.Translator.Walks, iommu.Translator.TableReferences, iommu.Iotlb.Hits));
        Assert.Equal(1, iommu.Translator.ContextHits);
    }

    [Fact]
    public void What_was_unmapped_but_not_invalidated_is_still_reached_and_after_the_invalidation_faults()
    {
        var (domain, memory, _) = Guest(GiB, Nic);
        Assert.True(iommu.Write(Nic, Group, 0x5000, [1]));

        domain.Unmap(5, 1);
        Assert.True(iommu.Write(Nic, Group, 0x5000, [2]));
        iommu.Queue.Submit(new InvalidationDescriptor(InvalidationKind.IotlbPages, domain.Id, First: 5, Pages: 1));
        Assert.True(iommu.Write(Nic, Group, 0x5000, [3]));
        iommu.Queue.Wait();

        Assert.False(iommu.Write(Nic, Group, 0x5000, [4]));
        Assert.Equal((3, DmaFaultReason.NotMapped), (ReadByte(memory, 0x5000), Assert.Single(iommu.Faults).Reason));
    }

    [Fact]
    public void Invalidating_one_domain_leaves_the_others_entries()
    {
        var (first, _, _) = Guest(GiB, Nic);
        Guest(GiB, Neighbour, group: 8);
        iommu.Write(Nic, Group, 0, [1]);
        iommu.Write(Neighbour, 8, 0, [1]);
        var walks = iommu.Translator.Walks;

        iommu.Queue.Submit(new InvalidationDescriptor(InvalidationKind.IotlbDomain, first.Id));
        iommu.Queue.Wait();
        iommu.Write(Neighbour, 8, 0, [1]);
        Assert.Equal(walks, iommu.Translator.Walks);
        iommu.Write(Nic, Group, 0, [1]);

        Assert.Equal(walks + 1, iommu.Translator.Walks);
    }

    [Fact]
    public void A_read_is_checked_and_recorded_as_a_read()
    {
        var (domain, memory, _) = Guest(GiB, Nic);
        memory.Write(0x1000, [0x42]);
        Span<byte> into = stackalloc byte[1];

        Assert.True(iommu.Read(Nic, Group, 0x1000, into));
        Assert.Equal(0x42, into[0]);
        Assert.False(iommu.Read(Nic, Group, GiB, into));
        Assert.False(iommu.Write(Neighbour, Group, 0x1000, [1]));

        Assert.Equal([false, true], iommu.ReportFaults().Select(f => f.IsWrite));
        Assert.Equal(["not-mapped", "no-domain"], iommu.ReportFaults().Select(f => f.Reason));
        Assert.Equal((1, 0), (domain.ReadCount, domain.WriteCount));
    }

    [Fact]
    public void A_page_that_may_only_be_read_is_not_written_to()
    {
        var memory = new GuestMemory(GiB);
        var domain = new ProtectionDomain(host);
        domain.Map(0, host.Allocate(memory), 16, writable: false);
        iommu.Attach(Group, domain, [Nic]);
        Span<byte> into = stackalloc byte[1];

        Assert.True(iommu.Read(Nic, Group, 0, into));
        Assert.False(iommu.Write(Nic, Group, 0, [1]));

        Assert.Equal(DmaFaultReason.NotWritable, Assert.Single(iommu.Faults).Reason);
    }

    [Fact]
    public void An_address_of_more_than_48_bits_is_blocked()
    {
        Guest(GiB, Nic);

        Assert.False(iommu.Write(Nic, Group, 1L << 48, [1]));

        Assert.Equal(DmaFaultReason.AddressTooWide, Assert.Single(iommu.Faults).Reason);
    }

    [Fact]
    public void A_device_caches_translations_only_where_ATS_is_enabled_and_forgets_what_is_invalidated()
    {
        var (domain, memory, frame) = Guest(GiB, Nic);
        Assert.False(iommu.WriteTranslated(Nic, (frame + 3) * GuestMemory.PageBytes, [9]));
        Assert.Equal(DmaFaultReason.TranslationBlocked, Assert.Single(iommu.Faults).Reason);

        iommu.Translator.EnableAts(Nic);
        iommu.Write(Nic, Group, 0x3000, [1]);
        iommu.Write(Nic, Group, 0x3000, [2]);
        Assert.Equal((1, 2), (iommu.Translator.TranslationRequests, iommu.Translator.TranslatedRequests));
        Assert.True(iommu.WriteTranslated(Nic, (frame + 3) * GuestMemory.PageBytes, [9]));
        Assert.Equal(9, ReadByte(memory, 0x3000));

        // Out of tables and IOTLB, but not out of the device: it goes on.
        domain.Unmap(3, 1);
        iommu.Queue.Submit(new InvalidationDescriptor(InvalidationKind.IotlbPages, domain.Id, First: 3, Pages: 1));
        iommu.Queue.Wait();
        Assert.True(iommu.Write(Nic, Group, 0x3000, [7]));
        iommu.Queue.Submit(new InvalidationDescriptor(InvalidationKind.DeviceTlb, domain.Id, Nic, 3, 1));
        iommu.Queue.Wait();

        Assert.False(iommu.Write(Nic, Group, 0x3000, [8]));
        Assert.Equal(7, ReadByte(memory, 0x3000));
    }

    [Fact]
    public void A_32_bit_device_reaches_high_memory_by_copies_or_by_an_address_below_4_GiB()
    {
        const long mask = uint.MaxValue;
        var (_, memory, frame) = Guest(6 * GiB, Nic);
        var high = (5 * GiB) + 0x123;
        var bounce = new BounceBuffers(memory, mask, firstPage: 0x100, pages: 4);
        memory.Write(high, [0x5a]);

        var low = bounce.Map(high, 1, toDevice: true)!.Value;
        Assert.InRange(low, 0, mask);
        Assert.Equal(0x5a, ReadByte(memory, low));
        Assert.True(iommu.Write(Nic, Group, low, [0x66]));
        bounce.Unmap(high, low, 1, fromDevice: true);
        Assert.Equal(0x66, ReadByte(memory, high));
        Assert.Equal(2, bounce.CopiedBytes);
        Assert.Equal(0x2000, bounce.Map(0x2000, 1, toDevice: true));

        var driver = new ProtectionDomain(host);
        iommu.Attach(8, driver, [Neighbour]);
        var mappings = new IovaMappings(iommu, driver, mask);
        var page = mappings.Map(frame + (high / GuestMemory.PageBytes), writable: true);
        Assert.InRange(page, 0, mask / GuestMemory.PageBytes);
        Assert.True(iommu.Write(Neighbour, 8, (page * GuestMemory.PageBytes) + 0x123, [0x77]));
        Assert.Equal(0x77, ReadByte(memory, high));
        mappings.Unmap(page);
        Assert.False(iommu.Write(Neighbour, 8, page * GuestMemory.PageBytes, [1]));
    }

    [Fact]
    public void Domain_ids_are_given_out_again_only_with_nothing_cached_under_them()
    {
        var (first, _, _) = Guest(GiB, Nic);
        var id = first.Id;
        iommu.Write(Nic, Group, 0x5000, [1]);
        iommu.Detach(Group);
        var second = new ProtectionDomain(host);
        iommu.Attach(8, second, [Neighbour]);
        Assert.Equal((id, 0), (second.Id, first.Id));

        Assert.False(iommu.Write(Neighbour, 8, 0x5000, [2]));
    }
}
