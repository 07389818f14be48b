using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>An address that a network's DHCP server has given out. Stands for C's <c>virNetworkDHCPLease</c>.</summary>
/// <param name="Interface">The network's bridge.</param>
/// <param name="Expires">Until when.</param>
/// <param name="Type">IPv4 or IPv6.</param>
/// <param name="Mac">The guest's interface.</param>
/// <param name="Address">As text.</param>
/// <param name="PrefixLength">Of the subnet.</param>
/// <param name="Hostname">As the guest calls itself.</param>
public sealed record VirDhcpLease(
    string Interface, DateTimeOffset Expires, VirIpAddrType Type, string? Mac, string Address, int PrefixLength, string? Hostname);

/// <summary>
/// A virtual network of a host. Stands for C's <c>virNetwork</c>, and holds one reference to it until it is disposed. Safe for several
/// threads. Calls throw <see cref="LibvirtException"/>, with <see cref="VirErrorNumber.NoNetwork"/> when it is gone.
/// </summary>
public sealed unsafe class VirNetwork : IDisposable
{
    internal VirNetwork(VirConnect connection, VirNetworkHandle handle)
    {
        (Connection, Handle) = (connection, handle);
        Name = Native.BorrowText(NativeNetwork.virNetworkGetName(handle));
        var uuid = stackalloc byte[Native.UuidTextBytes];
        Native.Check(NativeNetwork.virNetworkGetUUIDString(handle, uuid));
        Uuid = Native.ParseUuid(uuid);
    }

    /// <summary>The connection it was got from.</summary>
    public VirConnect Connection { get; }

    public string Name { get; }

    public Guid Uuid { get; }

    internal VirNetworkHandle Handle { get; }

    /// <summary>Stands for <c>virNetworkGetXMLDesc</c>.</summary>
    public string GetXml(VirNetworkXmlFlags flags = VirNetworkXmlFlags.None) =>
        Native.TakeText(NativeNetwork.virNetworkGetXMLDesc(Handle, (uint)flags));

    /// <summary>The host's bridge for it; an error where it has none. Stands for <c>virNetworkGetBridgeName</c>.</summary>
    public string GetBridgeName() => Native.TakeText(NativeNetwork.virNetworkGetBridgeName(Handle));

    /// <summary>Stands for <c>virNetworkIsActive</c>.</summary>
    public bool IsActive() => Native.CheckFlag(NativeNetwork.virNetworkIsActive(Handle));

    /// <summary>Stands for <c>virNetworkIsPersistent</c>.</summary>
    public bool IsPersistent() => Native.CheckFlag(NativeNetwork.virNetworkIsPersistent(Handle));

    /// <summary>Whether it starts with its host. Stands for <c>virNetworkGetAutostart</c>.</summary>
    public bool GetAutostart()
    {
        int autostart;
        Native.Check(NativeNetwork.virNetworkGetAutostart(Handle, &autostart));
        return autostart != 0;
    }

    /// <summary>Stands for <c>virNetworkSetAutostart</c>.</summary>
    public void SetAutostart(bool autostart) => Native.Check(NativeNetwork.virNetworkSetAutostart(Handle, autostart ? 1 : 0));

    /// <summary>Starts it. Stands for <c>virNetworkCreate</c>.</summary>
    public void Create() => Native.Check(NativeNetwork.virNetworkCreate(Handle));

    /// <summary>Stops it; guests on it lose their link. Stands for <c>virNetworkDestroy</c>.</summary>
    public void Destroy() => Native.Check(NativeNetwork.virNetworkDestroy(Handle));

    /// <summary>Removes the stored definition. Stands for <c>virNetworkUndefine</c>.</summary>
    public void Undefine() => Native.Check(NativeNetwork.virNetworkUndefine(Handle));

    /// <summary>Changes one element in place, such as a DHCP host. Stands for <c>virNetworkUpdate</c>.</summary>
    /// <param name="command">What to do.</param>
    /// <param name="section">Where the element stands.</param>
    /// <param name="xml">The element.</param>
    /// <param name="parentIndex">Which of several parents; -1 where there is one.</param>
    /// <param name="flags">In which definition.</param>
    public void Update(
        VirNetworkUpdateCommand command, VirNetworkUpdateSection section, string xml, int parentIndex = -1,
        VirNetworkUpdateFlags flags = VirNetworkUpdateFlags.Current) =>
        Native.Check(NativeNetwork.virNetworkUpdate(Handle, (uint)command, (uint)section, parentIndex, xml, (uint)flags));

    /// <summary>Stands for <c>virNetworkGetDHCPLeases</c>.</summary>
    /// <param name="mac">Of one guest's interface; null for all.</param>
    public IReadOnlyList<VirDhcpLease> GetDhcpLeases(string? mac = null)
    {
        NativeNetworkDhcpLease** leases;
        var count = Native.Check(NativeNetwork.virNetworkGetDHCPLeases(Handle, mac, &leases, 0));
        var copies = new VirDhcpLease[count];
        for (var at = 0; at < count; at++)
        {
            copies[at] = Copy(leases[at]);
            NativeNetwork.virNetworkDHCPLeaseFree(leases[at]);
        }

        NativeMemory.Free(leases);
        return copies;
    }

    /// <summary>Gives up the reference. Stands for <c>virNetworkFree</c>; does nothing to the network.</summary>
    public void Dispose() => Handle.Dispose();

    public override string ToString() => $"{Name} ({Uuid})";

    private static VirDhcpLease Copy(NativeNetworkDhcpLease* lease) => new(
        Marshal.PtrToStringUTF8(lease->iface) ?? "", DateTimeOffset.FromUnixTimeSeconds(lease->expirytime), (VirIpAddrType)lease->type,
        Marshal.PtrToStringUTF8(lease->mac), Marshal.PtrToStringUTF8(lease->ipaddr) ?? "", (int)lease->prefix,
        Marshal.PtrToStringUTF8(lease->hostname));
}
