using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>The library as a whole: version, errors, event loop.</summary>
internal static unsafe partial class NativeLibvirt
{
    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virInitialize();

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virGetVersion(nuint* libVer, string? type, nuint* typeVer);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial NativeError* virGetLastError();

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial void virResetLastError();

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial void virSetErrorFunc(void* userData, delegate* unmanaged<void*, NativeError*, void> handler);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virEventRegisterDefaultImpl();

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virEventRunDefaultImpl();
}
