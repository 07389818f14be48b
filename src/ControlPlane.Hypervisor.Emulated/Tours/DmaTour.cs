using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>A device's accesses through the IOMMU: what a translation costs, what is blocked, and what happens to frames that change hands.</summary>
internal sealed class DmaTour : ITour
{
    private const long GiB = 1L << 30;
    private const long Page = GuestMemory.PageBytes;
    private const int Group = 1;
    private static readonly PciAddress Nic = PciAddress.Parse("0000:41:10.0");

    public string Name => "dma";

    public string Summary => "Devices' accesses through tables, caches and invalidations, and the writes that are blocked";

    public void Run(TextWriter output)
    {
        Translate(output);
        Reclaim(output, invalidates: true);
        Reclaim(output, invalidates: false);
        HighMemory(output);
    }

    private static void Translate(TextWriter output)
    {
        output.WriteLine("A guest of 4 GiB. Its device writes 10,000 times: over and over to a ring of 64 pages, or all over the memory.");
        output.WriteLine();
        var table = new TourTable("pages of the tables", "writes", "table bytes", "IOTLB hits", "walks", "table references");
        foreach (var (name, shift) in new[] { ("1 GiB", 0L), ("2 MiB", 512L), ("4 KiB", 1L) })
        {
            table.Add(Written(name, "ring", shift, 64));
            table.Add(Written(name, "scattered", shift, (4 * GiB / Page) - shift));
        }
        table.WriteTo(output);
    }

    /// <param name="shift">Frames by which the mapping misses the alignment of large pages.</param>
    private static object[] Written(string name, string pattern, long shift, long pages)
    {
        using var clock = new ModelClock(new VirtualTime());
        var (host, memory) = (new HostMemory(), new GuestMemory(4 * GiB));
        var (iommu, domain) = (new DmaRemapper(host, clock), new ProtectionDomain(host));
        domain.Map(0, host.Allocate(memory) + shift, memory.Pages - shift, writable: true);
        iommu.Attach(Group, domain, [Nic]);
        var draw = 88172645463325252UL;
        for (var i = 0; i < 10_000; i++)
        {
            draw ^= draw << 13;
            draw ^= draw >> 7;
            draw ^= draw << 17;
            iommu.Write(Nic, Group, (long)(draw % (ulong)pages) * Page, [1]);
        }
        return [name, pattern, domain.Tables.Bytes, iommu.Iotlb.Hits, iommu.Translator.Walks, iommu.Translator.TableReferences];
    }

    /// <summary>A guest ends while its device still writes; the next guest gets its frames.</summary>
    private static void Reclaim(TextWriter output, bool invalidates)
    {
        using var clock = new ModelClock(new VirtualTime());
        var (host, first, next) = (new HostMemory(), new GuestMemory(GiB), new GuestMemory(GiB));
        var (iommu, domain) = (new DmaRemapper(host, clock), new ProtectionDomain(host));
        var frame = host.Allocate(first);
        domain.Map(0, frame, first.Pages, writable: true);
        iommu.Attach(Group, domain, [Nic]);
        iommu.Write(Nic, Group, 0x5000, [1]);
        domain.Unmap(0, first.Pages);
        if (invalidates)
        {
            iommu.Queue.Submit(new InvalidationDescriptor(InvalidationKind.IotlbDomain, domain.Id));
            iommu.Queue.Wait();
        }
        host.Free(frame);
        var same = host.Allocate(next) == frame;
        var passed = iommu.Write(Nic, Group, 0x5000, [0x66]);
        Span<byte> seen = stackalloc byte[1];
        next.Read(0x5000, seen);
        output.WriteLine($"Frames taken from one guest and given to the next{(same ? "" : " (others)")}, the IOTLB {(invalidates ? "invalidated" : "forgotten")}: a late write {(passed ? "passes" : "is blocked")}, the next guest reads {seen[0]:x2}.");
        foreach (var fault in iommu.Faults)
            output.WriteLine($"  fault: {fault.Requester} {(fault.IsWrite ? "write" : "read")} {fault.Address:x}: {fault.Reason}");
    }

    /// <summary>A device of 32 bits and a buffer above 4 GiB.</summary>
    private static void HighMemory(TextWriter output)
    {
        using var clock = new ModelClock(new VirtualTime());
        var (host, memory) = (new HostMemory(), new GuestMemory(6 * GiB));
        var (iommu, domain) = (new DmaRemapper(host, clock), new ProtectionDomain(host));
        var frame = host.Allocate(memory);
        iommu.Attach(Group, domain, [Nic]);
        var bounce = new BounceBuffers(memory, uint.MaxValue, 0x100, 64);
        var mappings = new IovaMappings(iommu, domain, uint.MaxValue);
        for (var i = 0; i < 1000; i++)
        {
            var buffer = (5 * GiB) + (i * Page);
            var low = bounce.Map(buffer, 1500, toDevice: false)!.Value;
            bounce.Unmap(buffer, low, 1500, fromDevice: true);
            var page = mappings.Map(frame + (buffer / Page), writable: true);
            iommu.Write(Nic, Group, page * Page, [1]);
            mappings.Unmap(page);
        }
        output.WriteLine();
        output.WriteLine("A device of 32 bits receives 1,000 frames of 1,500 bytes into buffers above 4 GiB:");
        output.WriteLine();
        var table = new TourTable("way", "bytes copied", "invalidation descriptors", "walks");
        table.Add("bounce buffers", bounce.CopiedBytes, 0, 0);
        table.Add("remapped addresses", 0, iommu.Queue.Descriptors, iommu.Translator.Walks);
        table.WriteTo(output);
    }
}
