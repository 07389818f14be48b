using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>libvirt-domain.h: domains and their lives.</summary>
internal static unsafe partial class NativeDomain
{
    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainFree(nint domain);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virDomainGetName(VirDomainHandle domain);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainGetUUIDString(VirDomainHandle domain, byte* buf);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial uint virDomainGetID(VirDomainHandle domain);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virConnectListAllDomains(VirConnectHandle conn, nint** domains, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirDomainHandle virDomainLookupByName(VirConnectHandle conn, string? name);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial VirDomainHandle virDomainLookupByID(VirConnectHandle conn, int id);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirDomainHandle virDomainLookupByUUIDString(VirConnectHandle conn, string? uuid);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirDomainHandle virDomainDefineXML(VirConnectHandle conn, string? xml);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirDomainHandle virDomainDefineXMLFlags(VirConnectHandle conn, string? xml, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial VirDomainHandle virDomainCreateXML(VirConnectHandle conn, string? xmlDesc, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainCreateWithFlags(VirDomainHandle domain, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainShutdownFlags(VirDomainHandle domain, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainReboot(VirDomainHandle domain, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainReset(VirDomainHandle domain, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainDestroyFlags(VirDomainHandle domain, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainSuspend(VirDomainHandle domain);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainResume(VirDomainHandle domain);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainUndefineFlags(VirDomainHandle domain, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainManagedSave(VirDomainHandle dom, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainHasManagedSaveImage(VirDomainHandle dom, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainManagedSaveRemove(VirDomainHandle dom, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainSaveFlags(VirDomainHandle domain, string? to, string? dxml, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainRestoreFlags(VirConnectHandle conn, string? from, string? dxml, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial nint virDomainGetXMLDesc(VirDomainHandle domain, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainGetState(VirDomainHandle domain, int* state, int* reason, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainGetInfo(VirDomainHandle domain, NativeDomainInfoLayout* info);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainIsActive(VirDomainHandle dom);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainIsPersistent(VirDomainHandle dom);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainIsUpdated(VirDomainHandle dom);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainGetAutostart(VirDomainHandle domain, int* autostart);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainSetAutostart(VirDomainHandle domain, int autostart);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint virDomainGetMetadata(VirDomainHandle domain, int type, string? uri, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainSetMetadata(
        VirDomainHandle domain, int type, string? metadata, string? key, string? uri, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainRename(VirDomainHandle dom, string? newName, uint flags);
}
