using System.Runtime.InteropServices;

namespace LibvirtSharp;

// The structs of C, field for field, for 64-bit Linux, where `unsigned long` has 8 bytes. Tests read each back through calls that
// fill it.
#pragma warning disable CS0649 // Fields are filled by libvirt.

/// <summary><c>virError</c>; libvirt deprecates <c>conn</c>, <c>dom</c> and <c>net</c>.</summary>
internal unsafe struct NativeError
{
    public int code;
    public int domain;
    public nint message;
    public int level;
    public nint conn;
    public nint dom;
    public nint str1;
    public nint str2;
    public nint str3;
    public int int1;
    public int int2;
    public nint net;
}

/// <summary><c>virTypedParameter</c>: a name of at most 79 bytes, a type, and 8 bytes of value.</summary>
[StructLayout(LayoutKind.Explicit, Size = 96)]
internal unsafe struct NativeTypedParameter
{
    [FieldOffset(0)] public fixed byte field[80];
    [FieldOffset(80)] public int type;
    [FieldOffset(88)] public int i;
    [FieldOffset(88)] public uint ui;
    [FieldOffset(88)] public long l;
    [FieldOffset(88)] public ulong ul;
    [FieldOffset(88)] public double d;
    [FieldOffset(88)] public byte b;
    [FieldOffset(88)] public nint s;
}

/// <summary><c>virNodeInfo</c>.</summary>
internal unsafe struct NativeNodeInfoLayout
{
    public fixed byte model[32];
    public nuint memory;
    public uint cpus;
    public uint mhz;
    public uint nodes;
    public uint sockets;
    public uint cores;
    public uint threads;
}

/// <summary><c>virNodeCPUStats</c> and <c>virNodeMemoryStats</c>, which are alike.</summary>
internal unsafe struct NativeNodeStat
{
    public fixed byte field[80];
    public ulong value;
}

/// <summary><c>virDomainInfo</c>.</summary>
internal struct NativeDomainInfoLayout
{
    public byte state;
    public nuint maxMem;
    public nuint memory;
    public ushort nrVirtCpu;
    public ulong cpuTime;
}

/// <summary><c>virDomainJobInfo</c>.</summary>
internal struct NativeDomainJobInfoLayout
{
    public int type;
    public ulong timeElapsed;
    public ulong timeRemaining;
    public ulong dataTotal;
    public ulong dataProcessed;
    public ulong dataRemaining;
    public ulong memTotal;
    public ulong memProcessed;
    public ulong memRemaining;
    public ulong fileTotal;
    public ulong fileProcessed;
    public ulong fileRemaining;
}

/// <summary><c>virDomainMemoryStatStruct</c>.</summary>
internal struct NativeDomainMemoryStat
{
    public int tag;
    public ulong val;
}

/// <summary><c>virDomainInterfaceStatsStruct</c>; -1 where the hypervisor does not know.</summary>
internal struct NativeDomainInterfaceStats
{
    public long rx_bytes;
    public long rx_packets;
    public long rx_errs;
    public long rx_drop;
    public long tx_bytes;
    public long tx_packets;
    public long tx_errs;
    public long tx_drop;
}

/// <summary><c>virDomainBlockInfo</c>.</summary>
internal struct NativeDomainBlockInfoLayout
{
    public ulong capacity;
    public ulong allocation;
    public ulong physical;
}

/// <summary><c>virDomainBlockJobInfo</c>.</summary>
internal struct NativeDomainBlockJobInfoLayout
{
    public int type;
    public nuint bandwidth;
    public ulong cur;
    public ulong end;
}

/// <summary><c>virDomainStatsRecord</c>.</summary>
internal unsafe struct NativeDomainStatsRecord
{
    public nint dom;
    public NativeTypedParameter* parameters;
    public int nparams;
}

/// <summary><c>virDomainInterface</c>.</summary>
internal unsafe struct NativeDomainInterface
{
    public nint name;
    public nint hwaddr;
    public uint naddrs;
    public NativeDomainIpAddress* addrs;
}

/// <summary><c>virDomainIPAddress</c>.</summary>
internal struct NativeDomainIpAddress
{
    public int type;
    public nint addr;
    public uint prefix;
}

/// <summary><c>virNetworkDHCPLease</c>.</summary>
internal struct NativeNetworkDhcpLease
{
    public nint iface;
    public long expirytime;
    public int type;
    public nint mac;
    public nint iaid;
    public nint ipaddr;
    public uint prefix;
    public nint hostname;
    public nint clientid;
}

/// <summary><c>virStoragePoolInfo</c>.</summary>
internal struct NativeStoragePoolInfoLayout
{
    public int state;
    public ulong capacity;
    public ulong allocation;
    public ulong available;
}

/// <summary><c>virStorageVolInfo</c>.</summary>
internal struct NativeStorageVolInfoLayout
{
    public int type;
    public ulong capacity;
    public ulong allocation;
}
