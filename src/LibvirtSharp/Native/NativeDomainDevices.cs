using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>libvirt-domain.h: devices, vCPUs, memory and statistics of domains.</summary>
internal static unsafe partial class NativeDomainDevices
{
    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainAttachDeviceFlags(VirDomainHandle domain, string? xml, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainDetachDeviceFlags(VirDomainHandle domain, string? xml, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainDetachDeviceAlias(VirDomainHandle domain, string? alias, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainUpdateDeviceFlags(VirDomainHandle domain, string? xml, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainSetVcpusFlags(VirDomainHandle domain, uint nvcpus, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainGetVcpusFlags(VirDomainHandle domain, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainSetMemoryFlags(VirDomainHandle domain, nuint memory, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainSetMemoryStatsPeriod(VirDomainHandle domain, int period, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainBlockResize(VirDomainHandle dom, string? disk, ulong size, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainGetBlockInfo(VirDomainHandle dom, string? disk, NativeDomainBlockInfoLayout* info, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainInterfaceStats(VirDomainHandle dom, string? device, NativeDomainInterfaceStats* stats, nuint size);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainBlockStatsFlags(
        VirDomainHandle dom, string? disk, NativeTypedParameter* parameters, int* nparams, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainMemoryStats(VirDomainHandle dom, NativeDomainMemoryStat* stats, uint nrStats, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectGetAllDomainStats(
        VirConnectHandle conn, uint stats, NativeDomainStatsRecord*** retStats, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainListGetStats(nint* doms, uint stats, NativeDomainStatsRecord*** retStats, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial void virDomainStatsRecordListFree(NativeDomainStatsRecord** stats);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainInterfaceAddresses(VirDomainHandle dom, NativeDomainInterface*** ifaces, uint source, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial void virDomainInterfaceFree(NativeDomainInterface* iface);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainBlockJobAbort(VirDomainHandle dom, string? disk, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainGetBlockJobInfo(
        VirDomainHandle dom, string? disk, NativeDomainBlockJobInfoLayout* info, uint flags);
}
