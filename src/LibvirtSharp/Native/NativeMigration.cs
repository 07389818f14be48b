using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>libvirt-domain.h: migrations and jobs.</summary>
internal static unsafe partial class NativeMigration
{
    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial VirDomainHandle virDomainMigrate3(
        VirDomainHandle domain, VirConnectHandle dconn, NativeTypedParameter* parameters, uint nparams, uint flags);

    [LibraryImport(LibvirtLibrary.Name, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int virDomainMigrateToURI3(
        VirDomainHandle domain, string? dconnuri, NativeTypedParameter* parameters, uint nparams, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainMigrateSetMaxDowntime(VirDomainHandle domain, ulong downtime, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainMigrateGetMaxDowntime(VirDomainHandle domain, ulong* downtime, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainMigrateSetMaxSpeed(VirDomainHandle domain, nuint bandwidth, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainMigrateGetMaxSpeed(VirDomainHandle domain, nuint* bandwidth, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainMigrateStartPostCopy(VirDomainHandle domain, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainMigrateGetCompressionCache(VirDomainHandle domain, ulong* cacheSize, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainMigrateSetCompressionCache(VirDomainHandle domain, ulong cacheSize, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainGetJobInfo(VirDomainHandle dom, NativeDomainJobInfoLayout* info);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainGetJobStats(
        VirDomainHandle domain, int* type, NativeTypedParameter** parameters, int* nparams, uint flags);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainAbortJob(VirDomainHandle dom);

    [LibraryImport(LibvirtLibrary.Name)]
    internal static partial int virDomainAbortJobFlags(VirDomainHandle dom, uint flags);
}
