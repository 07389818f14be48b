using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>libvirt-host.h: what a host has and can.</summary>
internal static unsafe partial class NativeHost
{
    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virConnectGetSysinfo(VirConnectHandle conn, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virConnectGetMaxVcpus(VirConnectHandle conn, string? type);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virConnectGetCapabilities(VirConnectHandle conn);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint virConnectGetDomainCapabilities(
        VirConnectHandle conn, string? emulatorbin, string? arch, string? machine, string? virttype, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeGetInfo(VirConnectHandle conn, NativeNodeInfoLayout* info);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial ulong virNodeGetFreeMemory(VirConnectHandle conn);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeGetCellsFreeMemory(VirConnectHandle conn, ulong* freeMems, int startCell, int maxCells);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeGetFreePages(
        VirConnectHandle conn, uint npages, uint* pages, int startcell, uint cellcount, ulong* counts, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeAllocPages(
        VirConnectHandle conn, uint npages, uint* pageSizes, ulong* pageCounts, int startCell, uint cellCount, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeGetMemoryStats(
        VirConnectHandle conn, int cellNum, NativeNodeStat* parameters, int* nparams, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeGetCPUStats(VirConnectHandle conn, int cpuNum, NativeNodeStat* parameters, int* nparams, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virConnectCompareCPU(VirConnectHandle conn, string? xmlDesc, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virConnectCompareHypervisorCPU(
        VirConnectHandle conn, string? emulator, string? arch, string? machine, string? virttype, string? xmlCPU, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint virConnectBaselineCPU(VirConnectHandle conn, string?[] xmlCPUs, uint ncpus, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint virConnectBaselineHypervisorCPU(
        VirConnectHandle conn, string? emulator, string? arch, string? machine, string? virttype, string?[] xmlCPUs, uint ncpus, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virConnectGetCPUModelNames(VirConnectHandle conn, string? arch, nint** models, uint flags);
}
