using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>A host's processor and memory. Stands for C's <c>virNodeInfo</c>.</summary>
/// <param name="CpuModel">The architecture, such as <c>x86_64</c>.</param>
/// <param name="MemoryKiB">All memory.</param>
/// <param name="CpuCount">Processors that are online.</param>
/// <param name="Megahertz">As the host tells it.</param>
/// <param name="NumaNodes">1 where there is no NUMA, or where it is not even.</param>
/// <param name="SocketsPerNode">Of each NUMA node.</param>
/// <param name="CoresPerSocket">Of each socket.</param>
/// <param name="ThreadsPerCore">Of each core.</param>
public sealed record VirNodeHardware(
    string CpuModel, ulong MemoryKiB, int CpuCount, int Megahertz, int NumaNodes, int SocketsPerNode, int CoresPerSocket, int ThreadsPerCore);

/// <summary>Which virtual machine a CPU is meant for; null for the hypervisor's default.</summary>
/// <param name="Emulator">The path of the VMM.</param>
/// <param name="Architecture">Such as <c>x86_64</c>.</param>
/// <param name="Machine">Such as <c>q35</c>.</param>
/// <param name="VirtType">Such as <c>kvm</c> or <c>qemu</c>.</param>
public sealed record VirMachine(string? Emulator = null, string? Architecture = null, string? Machine = null, string? VirtType = null);

/// <summary>What a hypervisor's host has, can do and has left.</summary>
public static unsafe class VirHost
{
    /// <summary>The host: CPU, NUMA topology, huge pages, security drivers; and what guests it takes. Stands for <c>virConnectGetCapabilities</c>.</summary>
    public static string GetCapabilities(this VirConnect connection) => Native.TakeText(NativeHost.virConnectGetCapabilities(connection.Handle));

    /// <summary>
    /// What a kind of virtual machine may have here: CPU modes, devices, features. Stands for <c>virConnectGetDomainCapabilities</c>.
    /// </summary>
    public static string GetDomainCapabilities(this VirConnect connection, VirMachine? machine = null) =>
        Native.TakeText(NativeHost.virConnectGetDomainCapabilities(
            connection.Handle, machine?.Emulator, machine?.Architecture, machine?.Machine, machine?.VirtType, 0));

    /// <summary>SMBIOS data as XML. Stands for <c>virConnectGetSysinfo</c>.</summary>
    public static string GetSysinfo(this VirConnect connection) => Native.TakeText(NativeHost.virConnectGetSysinfo(connection.Handle, 0));

    /// <summary>Stands for <c>virConnectGetMaxVcpus</c>.</summary>
    /// <param name="virtType">Such as <c>kvm</c>; null for the default.</param>
    public static int GetMaxVcpus(this VirConnect connection, string? virtType = null) =>
        Native.Check(NativeHost.virConnectGetMaxVcpus(connection.Handle, virtType));

    /// <summary>Stands for <c>virNodeGetInfo</c>.</summary>
    public static VirNodeHardware GetHardware(this VirConnect connection)
    {
        NativeNodeInfoLayout node;
        Native.Check(NativeHost.virNodeGetInfo(connection.Handle, &node));
        return new(Marshal.PtrToStringUTF8((nint)node.model)!, node.memory, (int)node.cpus, (int)node.mhz,
            (int)node.nodes, (int)node.sockets, (int)node.cores, (int)node.threads);
    }

    /// <summary>In bytes. Stands for <c>virNodeGetFreeMemory</c>, for which none left is an error.</summary>
    public static ulong GetFreeMemory(this VirConnect connection)
    {
        var bytes = NativeHost.virNodeGetFreeMemory(connection.Handle);
        Native.Check(bytes == 0 ? -1 : 0, nameof(NativeHost.virNodeGetFreeMemory));
        return bytes;
    }

    /// <summary>In bytes, per NUMA node from the first asked for. Stands for <c>virNodeGetCellsFreeMemory</c>.</summary>
    public static IReadOnlyList<ulong> GetFreeMemoryOfNodes(this VirConnect connection, int first, int count)
    {
        var bytes = new ulong[count];
        fixed (ulong* cells = bytes)
            return bytes[..Native.Check(NativeHost.virNodeGetCellsFreeMemory(connection.Handle, cells, first, count))];
    }

    /// <summary>How many pages of each size are free on one NUMA node. Stands for <c>virNodeGetFreePages</c>.</summary>
    /// <param name="node">-1 for the host as a whole.</param>
    /// <param name="sizesKiB">Page sizes, such as 4, 2048 and 1048576.</param>
    public static IReadOnlyDictionary<uint, ulong> GetFreePages(this VirConnect connection, int node, params ReadOnlySpan<uint> sizesKiB)
    {
        var counts = new ulong[sizesKiB.Length];
        fixed (uint* sizes = sizesKiB)
        fixed (ulong* free = counts)
            Native.Check(NativeHost.virNodeGetFreePages(connection.Handle, (uint)sizesKiB.Length, sizes, node, 1, free, 0));
        var bySize = new Dictionary<uint, ulong>(counts.Length);
        for (var at = 0; at < counts.Length; at++)
            bySize[sizesKiB[at]] = counts[at];
        return bySize;
    }

    /// <summary>Changes one NUMA node's pool of huge pages. Stands for <c>virNodeAllocPages</c>.</summary>
    /// <returns>Whether all were got; memory may be too fragmented.</returns>
    public static bool AllocatePages(
        this VirConnect connection, int node, uint sizeKiB, ulong count, VirNodeAllocPagesFlags flags = VirNodeAllocPagesFlags.Add) =>
        Native.Check(NativeHost.virNodeAllocPages(connection.Handle, 1, &sizeKiB, &count, node, 1, (uint)flags)) == 1;

    /// <summary>Figures such as <c>total</c>, <c>free</c>, <c>buffers</c>, <c>cached</c>, KiB. Stands for <c>virNodeGetMemoryStats</c>.</summary>
    /// <param name="node">A NUMA node; -1 for all.</param>
    public static IReadOnlyDictionary<string, ulong> GetMemoryStats(this VirConnect connection, int node = -1)
    {
        var count = 0;
        Native.Check(NativeHost.virNodeGetMemoryStats(connection.Handle, node, null, &count, 0));
        var stats = stackalloc NativeNodeStat[count];
        Native.Check(NativeHost.virNodeGetMemoryStats(connection.Handle, node, stats, &count, 0));
        return Read(stats, count);
    }

    /// <summary>Times such as <c>kernel</c>, <c>user</c>, <c>idle</c>, <c>iowait</c>, ns. Stands for <c>virNodeGetCPUStats</c>.</summary>
    /// <param name="cpu">A processor; -1 for all.</param>
    public static IReadOnlyDictionary<string, ulong> GetCpuStats(this VirConnect connection, int cpu = -1)
    {
        var count = 0;
        Native.Check(NativeHost.virNodeGetCPUStats(connection.Handle, cpu, null, &count, 0));
        var stats = stackalloc NativeNodeStat[count];
        Native.Check(NativeHost.virNodeGetCPUStats(connection.Handle, cpu, stats, &count, 0));
        return Read(stats, count);
    }

    private static Dictionary<string, ulong> Read(NativeNodeStat* stats, int count)
    {
        var figures = new Dictionary<string, ulong>(count, StringComparer.Ordinal);
        for (var at = 0; at < count; at++)
            figures[Marshal.PtrToStringUTF8((nint)stats[at].field)!] = stats[at].value;
        return figures;
    }
}
