using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>Statistics of one domain at one time. Stands for C's <c>virDomainStatsRecord</c>.</summary>
/// <param name="Domain">Whose.</param>
/// <param name="Parameters">Named by group: <c>cpu.time</c>, <c>net.0.rx.bytes</c>, <c>block.0.rd.reqs</c>...</param>
public sealed record VirDomainStats(VirDomainIdentity Domain, VirTypedParameters Parameters);

/// <summary>Figures of an interface since it was plugged in; null where the hypervisor does not know.</summary>
public sealed record VirInterfaceStats(
    long? ReceivedBytes, long? ReceivedPackets, long? ReceiveErrors, long? ReceiveDrops,
    long? SentBytes, long? SentPackets, long? SendErrors, long? SendDrops);

/// <summary>An address of a guest's interface.</summary>
/// <param name="Type">IPv4 or IPv6.</param>
/// <param name="Address">As text.</param>
/// <param name="PrefixLength">Of the subnet.</param>
public sealed record VirDomainIpAddress(VirIpAddrType Type, string Address, int PrefixLength);

/// <summary>A guest's interface with its addresses.</summary>
/// <param name="Name">As the guest calls it, or the host, depending on where it was looked up.</param>
/// <param name="Mac">Null where there is none, such as a loopback.</param>
/// <param name="Addresses">All of them.</param>
public sealed record VirDomainInterfaceAddresses(string Name, string? Mac, IReadOnlyList<VirDomainIpAddress> Addresses);

/// <summary>A disk's sizes in bytes.</summary>
/// <param name="Capacity">As the guest sees it.</param>
/// <param name="Allocation">Written to so far.</param>
/// <param name="Physical">Of the file or device.</param>
public sealed record VirDomainBlockSize(ulong Capacity, ulong Allocation, ulong Physical);

/// <summary>What domains use.</summary>
public static unsafe class VirDomainStatistics
{
    private const int MemoryTagsMax = 64;

    /// <summary>Statistics of all domains in one call. Stands for <c>virConnectGetAllDomainStats</c>.</summary>
    /// <param name="types">Which groups; none for all that the hypervisor has.</param>
    /// <param name="flags">Which domains.</param>
    public static IReadOnlyList<VirDomainStats> GetAllDomainStats(
        this VirConnect connection, VirDomainStatsTypes types = VirDomainStatsTypes.None,
        VirConnectGetAllDomainStatsFlags flags = VirConnectGetAllDomainStatsFlags.None)
    {
        NativeDomainStatsRecord** records;
        var count = Native.Check(NativeDomainDevices.virConnectGetAllDomainStats(connection.Handle, (uint)types, &records, (uint)flags));
        return Take(records, count);
    }

    /// <summary>Statistics of one domain. Stands for <c>virDomainListGetStats</c>.</summary>
    /// <param name="types">Which groups; none for all that the hypervisor has.</param>
    /// <param name="flags">Only those that do not choose domains.</param>
    public static VirTypedParameters GetStats(
        this VirDomain domain, VirDomainStatsTypes types = VirDomainStatsTypes.None,
        VirConnectGetAllDomainStatsFlags flags = VirConnectGetAllDomainStatsFlags.None)
    {
        var held = false;
        try
        {
            domain.Handle.DangerousAddRef(ref held);
            var list = stackalloc nint[2] { domain.Handle.DangerousGetHandle(), 0 };
            NativeDomainStatsRecord** records;
            var count = Native.Check(NativeDomainDevices.virDomainListGetStats(list, (uint)types, &records, (uint)flags));
            return Take(records, count) is [var only, ..] ? only.Parameters : [];
        }
        finally
        {
            if (held)
                domain.Handle.DangerousRelease();
        }
    }

    /// <summary>The guest's memory, as its balloon driver tells. Stands for <c>virDomainMemoryStats</c>.</summary>
    public static IReadOnlyDictionary<VirDomainMemoryStatTags, ulong> GetMemoryStats(this VirDomain domain)
    {
        var stats = stackalloc NativeDomainMemoryStat[MemoryTagsMax];
        var count = Native.Check(NativeDomainDevices.virDomainMemoryStats(domain.Handle, stats, MemoryTagsMax, 0));
        var figures = new Dictionary<VirDomainMemoryStatTags, ulong>(count);
        for (var at = 0; at < count; at++)
            figures[(VirDomainMemoryStatTags)stats[at].tag] = stats[at].val;
        return figures;
    }

    /// <summary>How often the guest tells about its memory; zero: only when asked. Stands for <c>virDomainSetMemoryStatsPeriod</c>.</summary>
    public static void SetMemoryStatsPeriod(
        this VirDomain domain, TimeSpan period, VirDomainModificationImpact impact = VirDomainModificationImpact.Current) =>
        Native.Check(NativeDomainDevices.virDomainSetMemoryStatsPeriod(domain.Handle, (int)period.TotalSeconds, (uint)impact));

    /// <summary>Stands for <c>virDomainInterfaceStats</c>.</summary>
    /// <param name="device">The interface's target on the host, or its MAC.</param>
    public static VirInterfaceStats GetInterfaceStats(this VirDomain domain, string device)
    {
        NativeDomainInterfaceStats stats;
        Native.Check(NativeDomainDevices.virDomainInterfaceStats(domain.Handle, device, &stats, (nuint)sizeof(NativeDomainInterfaceStats)));
        return new(
            Known(stats.rx_bytes), Known(stats.rx_packets), Known(stats.rx_errs), Known(stats.rx_drop),
            Known(stats.tx_bytes), Known(stats.tx_packets), Known(stats.tx_errs), Known(stats.tx_drop));
    }

    /// <summary>Stands for <c>virDomainGetBlockInfo</c>.</summary>
    /// <param name="disk">Its target, such as <c>vda</c>.</param>
    public static VirDomainBlockSize GetBlockSize(this VirDomain domain, string disk)
    {
        NativeDomainBlockInfoLayout size;
        Native.Check(NativeDomainDevices.virDomainGetBlockInfo(domain.Handle, disk, &size, 0));
        return new(size.capacity, size.allocation, size.physical);
    }

    /// <summary>The guest's addresses. Stands for <c>virDomainInterfaceAddresses</c>.</summary>
    public static IReadOnlyList<VirDomainInterfaceAddresses> GetInterfaceAddresses(this VirDomain domain, VirDomainInterfaceAddressesSource source)
    {
        NativeDomainInterface** interfaces;
        var count = Native.Check(NativeDomainDevices.virDomainInterfaceAddresses(domain.Handle, &interfaces, (uint)source, 0));
        var copies = new VirDomainInterfaceAddresses[count];
        for (var at = 0; at < count; at++)
        {
            copies[at] = Copy(interfaces[at]);
            NativeDomainDevices.virDomainInterfaceFree(interfaces[at]);
        }

        NativeMemory.Free(interfaces);
        return copies;
    }

    private static VirDomainInterfaceAddresses Copy(NativeDomainInterface* from)
    {
        var addresses = new VirDomainIpAddress[from->naddrs];
        for (var at = 0; at < addresses.Length; at++)
            addresses[at] = new((VirIpAddrType)from->addrs[at].type, Marshal.PtrToStringUTF8(from->addrs[at].addr) ?? "", (int)from->addrs[at].prefix);
        return new(Marshal.PtrToStringUTF8(from->name) ?? "", Marshal.PtrToStringUTF8(from->hwaddr), addresses);
    }

    private static List<VirDomainStats> Take(NativeDomainStatsRecord** records, int count)
    {
        var copies = new List<VirDomainStats>(count);
        try
        {
            for (var at = 0; at < count; at++)
                copies.Add(new(VirDomain.IdentityOf(records[at]->dom), TypedParameterBlock.Copy(records[at]->parameters, records[at]->nparams)));
            return copies;
        }
        finally
        {
            NativeDomainDevices.virDomainStatsRecordListFree(records);
        }
    }

    private static long? Known(long figure) => figure < 0 ? null : figure;
}
