namespace LibvirtSharp;

/// <summary>Getting domains from a connection. Each one returned is the caller's to dispose.</summary>
public static unsafe class VirDomainLookup
{
    /// <summary>All domains, or those that the flags name. Stands for <c>virConnectListAllDomains</c>.</summary>
    public static IReadOnlyList<VirDomain> ListAllDomains(
        this VirConnect connection, VirConnectListAllDomainsFlags flags = VirConnectListAllDomainsFlags.None)
    {
        nint* domains;
        var count = Native.Check(NativeDomain.virConnectListAllDomains(connection.Handle, &domains, (uint)flags));
        return Native.TakeObjects(domains, count, domain => new VirDomain(connection, new VirDomainHandle(domain)));
    }

    /// <summary>Stands for <c>virDomainLookupByName</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoDomain"/> when there is none.</exception>
    public static VirDomain LookupDomainByName(this VirConnect connection, string name) =>
        new(connection, Native.Check(NativeDomain.virDomainLookupByName(connection.Handle, name)));

    /// <summary>Stands for <c>virDomainLookupByUUIDString</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoDomain"/> when there is none.</exception>
    public static VirDomain LookupDomainByUuid(this VirConnect connection, Guid uuid) =>
        new(connection, Native.Check(NativeDomain.virDomainLookupByUUIDString(connection.Handle, uuid.ToString("D"))));

    /// <summary>A running domain by the hypervisor's number. Stands for <c>virDomainLookupByID</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoDomain"/> when there is none.</exception>
    public static VirDomain LookupDomainById(this VirConnect connection, int id) =>
        new(connection, Native.Check(NativeDomain.virDomainLookupByID(connection.Handle, id)));

    /// <summary>The domain of that UUID, or null when there is none. Stands for <c>virDomainLookupByUUIDString</c>.</summary>
    public static VirDomain? FindDomainByUuid(this VirConnect connection, Guid uuid)
    {
        try
        {
            return connection.LookupDomainByUuid(uuid);
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.NoDomain)
        {
            return null;
        }
    }

    /// <summary>
    /// Stores a definition, or changes the stored one of the same UUID; a running domain runs on as it is. Stands for
    /// <c>virDomainDefineXMLFlags</c>.
    /// </summary>
    public static VirDomain DefineDomain(this VirConnect connection, string xml, VirDomainDefineFlags flags = VirDomainDefineFlags.None) =>
        new(connection, Native.Check(NativeDomain.virDomainDefineXMLFlags(connection.Handle, xml, (uint)flags)));

    /// <summary>
    /// Starts a domain that is not stored: it is gone when it stops. Stands for <c>virDomainCreateXML</c>.
    /// </summary>
    public static VirDomain CreateDomain(this VirConnect connection, string xml, VirDomainCreateFlags flags = VirDomainCreateFlags.None) =>
        new(connection, Native.Check(NativeDomain.virDomainCreateXML(connection.Handle, xml, (uint)flags)));

    /// <summary>Starts a domain from a file that <see cref="VirDomainLifecycle.Save"/> wrote. Stands for <c>virDomainRestoreFlags</c>.</summary>
    /// <param name="path">The file, on the hypervisor's host.</param>
    /// <param name="xml">A definition that replaces the file's where the guest cannot see it (disk paths); null for the file's.</param>
    /// <param name="flags">Running or paused afterwards.</param>
    public static void RestoreDomain(
        this VirConnect connection, string path, string? xml = null, VirDomainSaveRestoreFlags flags = VirDomainSaveRestoreFlags.None) =>
        Native.Check(NativeDomain.virDomainRestoreFlags(connection.Handle, path, xml, (uint)flags));
}
