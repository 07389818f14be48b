using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>libvirt-network.h: virtual networks.</summary>
internal static unsafe partial class NativeNetwork
{
    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNetworkFree(nint network);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectListAllNetworks(VirConnectHandle conn, nint** nets, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirNetworkHandle virNetworkLookupByName(VirConnectHandle conn, string? name);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirNetworkHandle virNetworkLookupByUUIDString(VirConnectHandle conn, string? uuid);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virNetworkGetName(VirNetworkHandle network);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNetworkGetUUIDString(VirNetworkHandle network, byte* buf);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirNetworkHandle virNetworkDefineXML(VirConnectHandle conn, string? xmlDesc);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirNetworkHandle virNetworkCreateXML(VirConnectHandle conn, string? xmlDesc);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNetworkCreate(VirNetworkHandle network);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNetworkDestroy(VirNetworkHandle network);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNetworkUndefine(VirNetworkHandle network);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virNetworkUpdate(
        VirNetworkHandle network, uint command, uint section, int parentIndex, string? xml, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virNetworkGetXMLDesc(VirNetworkHandle network, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virNetworkGetBridgeName(VirNetworkHandle network);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNetworkGetAutostart(VirNetworkHandle network, int* autostart);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNetworkSetAutostart(VirNetworkHandle network, int autostart);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNetworkIsActive(VirNetworkHandle net);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNetworkIsPersistent(VirNetworkHandle net);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virNetworkGetDHCPLeases(
        VirNetworkHandle network, string? mac, NativeNetworkDhcpLease*** leases, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial void virNetworkDHCPLeaseFree(NativeNetworkDhcpLease* lease);
}
