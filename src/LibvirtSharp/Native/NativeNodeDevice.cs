using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>libvirt-nodedev.h: devices of hosts.</summary>
internal static unsafe partial class NativeNodeDevice
{
    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeDeviceFree(nint dev);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectListAllNodeDevices(VirConnectHandle conn, nint** devices, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirNodeDeviceHandle virNodeDeviceLookupByName(VirConnectHandle conn, string? name);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virNodeDeviceGetName(VirNodeDeviceHandle dev);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virNodeDeviceGetParent(VirNodeDeviceHandle dev);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virNodeDeviceGetXMLDesc(VirNodeDeviceHandle dev, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeDeviceNumOfCaps(VirNodeDeviceHandle dev);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeDeviceListCaps(VirNodeDeviceHandle dev, nint* names, int maxnames);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virNodeDeviceDetachFlags(VirNodeDeviceHandle dev, string? driverName, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeDeviceReAttach(VirNodeDeviceHandle dev);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeDeviceReset(VirNodeDeviceHandle dev);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirNodeDeviceHandle virNodeDeviceCreateXML(VirConnectHandle conn, string? xmlDesc, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virNodeDeviceDestroy(VirNodeDeviceHandle dev);
}
