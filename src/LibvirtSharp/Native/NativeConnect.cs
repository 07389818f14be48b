using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>libvirt-host.h: connections.</summary>
internal static unsafe partial class NativeConnect
{
    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirConnectHandle virConnectOpenAuth(string? name, void* auth, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectClose(nint conn);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virConnectGetType(VirConnectHandle conn);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectGetVersion(VirConnectHandle conn, nuint* hvVer);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectGetLibVersion(VirConnectHandle conn, nuint* libVer);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virConnectGetHostname(VirConnectHandle conn);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virConnectGetURI(VirConnectHandle conn);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectSetKeepAlive(VirConnectHandle conn, int interval, uint count);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectRegisterCloseCallback(
        VirConnectHandle conn, delegate* unmanaged<nint, int, void*, void> cb, void* opaque, delegate* unmanaged<void*, void> freecb);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectUnregisterCloseCallback(VirConnectHandle conn, delegate* unmanaged<nint, int, void*, void> cb);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectIsEncrypted(VirConnectHandle conn);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectIsSecure(VirConnectHandle conn);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectIsAlive(VirConnectHandle conn);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectDomainEventRegisterAny(
        VirConnectHandle conn, VirDomainHandle dom, int eventID, void* cb, void* opaque, delegate* unmanaged<void*, void> freecb);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectDomainEventDeregisterAny(VirConnectHandle conn, int callbackID);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectNodeDeviceEventRegisterAny(
        VirConnectHandle conn, VirNodeDeviceHandle dev, int eventID, void* cb, void* opaque, delegate* unmanaged<void*, void> freecb);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectNodeDeviceEventDeregisterAny(VirConnectHandle conn, int callbackID);
}
