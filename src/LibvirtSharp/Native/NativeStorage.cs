using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>libvirt-storage.h and libvirt-stream.h: pools, volumes and their bytes.</summary>
internal static unsafe partial class NativeStorage
{
    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolFree(nint pool);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectListAllStoragePools(VirConnectHandle conn, nint** pools, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirStoragePoolHandle virStoragePoolLookupByName(VirConnectHandle conn, string? name);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirStoragePoolHandle virStoragePoolLookupByUUIDString(VirConnectHandle conn, string? uuid);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial VirStoragePoolHandle virStoragePoolLookupByVolume(VirStorageVolHandle vol);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirStoragePoolHandle virStoragePoolLookupByTargetPath(VirConnectHandle conn, string? path);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirStoragePoolHandle virStoragePoolCreateXML(VirConnectHandle conn, string? xmlDesc, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirStoragePoolHandle virStoragePoolDefineXML(VirConnectHandle conn, string? xmlDesc, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolBuild(VirStoragePoolHandle pool, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolCreate(VirStoragePoolHandle pool, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolDestroy(VirStoragePoolHandle pool);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolDelete(VirStoragePoolHandle pool, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolUndefine(VirStoragePoolHandle pool);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolRefresh(VirStoragePoolHandle pool, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virStoragePoolGetName(VirStoragePoolHandle pool);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolGetUUIDString(VirStoragePoolHandle pool, byte* buf);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolGetInfo(VirStoragePoolHandle vol, NativeStoragePoolInfoLayout* info);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virStoragePoolGetXMLDesc(VirStoragePoolHandle pool, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolGetAutostart(VirStoragePoolHandle pool, int* autostart);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolSetAutostart(VirStoragePoolHandle pool, int autostart);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolIsActive(VirStoragePoolHandle pool);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolIsPersistent(VirStoragePoolHandle pool);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStoragePoolListAllVolumes(VirStoragePoolHandle pool, nint** vols, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStorageVolFree(nint vol);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirStorageVolHandle virStorageVolLookupByName(VirStoragePoolHandle pool, string? name);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirStorageVolHandle virStorageVolLookupByKey(VirConnectHandle conn, string? key);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirStorageVolHandle virStorageVolLookupByPath(VirConnectHandle conn, string? path);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virStorageVolGetName(VirStorageVolHandle vol);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virStorageVolGetKey(VirStorageVolHandle vol);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virStorageVolGetPath(VirStorageVolHandle vol);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirStorageVolHandle virStorageVolCreateXML(VirStoragePoolHandle pool, string? xmldesc, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirStorageVolHandle virStorageVolCreateXMLFrom(
        VirStoragePoolHandle pool, string? xmldesc, VirStorageVolHandle clonevol, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStorageVolDelete(VirStorageVolHandle vol, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStorageVolWipePattern(VirStorageVolHandle vol, uint algorithm, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStorageVolGetInfo(VirStorageVolHandle vol, NativeStorageVolInfoLayout* info);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStorageVolGetInfoFlags(VirStorageVolHandle vol, NativeStorageVolInfoLayout* info, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virStorageVolGetXMLDesc(VirStorageVolHandle pool, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStorageVolResize(VirStorageVolHandle vol, ulong capacity, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStorageVolUpload(
        VirStorageVolHandle vol, VirStreamHandle stream, ulong offset, ulong length, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStorageVolDownload(
        VirStorageVolHandle vol, VirStreamHandle stream, ulong offset, ulong length, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial VirStreamHandle virStreamNew(VirConnectHandle conn, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStreamFree(nint st);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStreamSend(VirStreamHandle st, byte* data, nuint nbytes);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStreamRecv(VirStreamHandle st, byte* data, nuint nbytes);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStreamFinish(VirStreamHandle st);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virStreamAbort(VirStreamHandle st);
}
