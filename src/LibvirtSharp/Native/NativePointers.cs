using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>Calls on a <c>virDomain</c> that libvirt lends to a callback.</summary>
internal static unsafe partial class NativeDomainPointer
{
    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virDomainGetName(nint domain);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainGetUUIDString(nint domain, byte* buf);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial uint virDomainGetID(nint domain);
}

/// <summary>Calls on a <c>virNodeDevice</c> that libvirt lends to a callback.</summary>
internal static partial class NativeNodeDevicePointer
{
    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virNodeDeviceGetName(nint dev);
}
