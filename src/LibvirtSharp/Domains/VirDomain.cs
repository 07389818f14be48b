using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>
/// A virtual machine that libvirt knows, running or not. Stands for C's <c>virDomain</c>, and holds one reference to it until it is disposed.
/// Safe for several threads. What can be done with it stands in extension methods by topic: <see cref="VirDomainLifecycle"/>,
/// <see cref="VirDomainDescription"/>, <see cref="VirDomainDevices"/>, <see cref="VirDomainStatistics"/>, <see cref="VirDomainMigration"/>,
/// <see cref="VirDomainJobs"/>. Calls throw <see cref="LibvirtException"/>, with <see cref="VirErrorNumber.NoDomain"/> when it is gone.
/// </summary>
public sealed class VirDomain : IDisposable
{
    internal VirDomain(VirConnect connection, VirDomainHandle handle)
    {
        (Connection, Handle) = (connection, handle);
        Identity = IdentityOf(handle.DangerousGetHandle());
    }

    /// <summary>The connection it was got from.</summary>
    public VirConnect Connection { get; }

    /// <summary>Name, UUID and number, as they were when this object was made.</summary>
    public VirDomainIdentity Identity { get; }

    /// <summary>The name, as it was when this object was made.</summary>
    public string Name => Identity.Name;

    /// <summary>The UUID: the same on every host that the domain moves to.</summary>
    public Guid Uuid => Identity.Uuid;

    /// <summary>
    /// The hypervisor's number of the domain's present run; null when it is off, as far as this object has been told. Stands for
    /// <c>virDomainGetID</c>, which asks nobody.
    /// </summary>
    public int? Id => NumberOf(NativeDomain.virDomainGetID(Handle));

    internal VirDomainHandle Handle { get; }

    /// <summary>Gives up the reference. Stands for <c>virDomainFree</c>; does nothing to the virtual machine.</summary>
    public void Dispose() => Handle.Dispose();

    public override string ToString() => $"{Name} ({Uuid})";

    /// <summary>Of a pointer that libvirt keeps, as callbacks get it; asks nobody.</summary>
    internal static unsafe VirDomainIdentity IdentityOf(nint domain)
    {
        var uuid = stackalloc byte[Native.UuidTextBytes];
        Native.Check(NativeDomainPointer.virDomainGetUUIDString(domain, uuid));
        var name = Native.BorrowText(NativeDomainPointer.virDomainGetName(domain));
        return new(name, Native.ParseUuid(uuid), NumberOf(NativeDomainPointer.virDomainGetID(domain)));
    }

    private static int? NumberOf(uint id) => id == uint.MaxValue ? null : (int)id;
}
