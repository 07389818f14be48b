namespace LibvirtSharp;

/// <summary>A domain's state with the reason.</summary>
/// <param name="State">What it is doing.</param>
/// <param name="Reason">
/// Why, by the enumeration of the state's name: <see cref="VirDomainRunningReason"/>, <see cref="VirDomainPausedReason"/>,
/// <see cref="VirDomainShutoffReason"/>...
/// </param>
public readonly record struct VirDomainStateReason(VirDomainState State, int Reason);

/// <summary>A domain's size and use. Stands for C's <c>virDomainInfo</c>.</summary>
/// <param name="State">What it is doing.</param>
/// <param name="MaxMemoryKiB">The most memory that it may have.</param>
/// <param name="MemoryKiB">The memory that it has.</param>
/// <param name="VcpuCount">The vCPUs that it has.</param>
/// <param name="CpuTime">The CPU time that it has used.</param>
public sealed record VirDomainUse(VirDomainState State, ulong MaxMemoryKiB, ulong MemoryKiB, int VcpuCount, TimeSpan CpuTime);

/// <summary>What a domain is and does.</summary>
public static unsafe class VirDomainDescription
{
    /// <summary>The domain's XML. Stands for <c>virDomainGetXMLDesc</c>.</summary>
    public static string GetXml(this VirDomain domain, VirDomainXmlFlags flags = VirDomainXmlFlags.None) =>
        Native.TakeText(NativeDomain.virDomainGetXMLDesc(domain.Handle, (uint)flags));

    /// <summary>Stands for <c>virDomainGetState</c>.</summary>
    public static VirDomainStateReason GetState(this VirDomain domain)
    {
        int state, reason;
        Native.Check(NativeDomain.virDomainGetState(domain.Handle, &state, &reason, 0));
        return new((VirDomainState)state, reason);
    }

    /// <summary>Stands for <c>virDomainGetInfo</c>.</summary>
    public static VirDomainUse GetUse(this VirDomain domain)
    {
        NativeDomainInfoLayout use;
        Native.Check(NativeDomain.virDomainGetInfo(domain.Handle, &use));
        return new((VirDomainState)use.state, use.maxMem, use.memory, use.nrVirtCpu, TimeSpan.FromTicks((long)(use.cpuTime / 100)));
    }

    /// <summary>Whether it is in memory, running or paused. Stands for <c>virDomainIsActive</c>.</summary>
    public static bool IsActive(this VirDomain domain) => Native.CheckFlag(NativeDomain.virDomainIsActive(domain.Handle));

    /// <summary>Whether it has a stored definition, so that it stays when it stops. Stands for <c>virDomainIsPersistent</c>.</summary>
    public static bool IsPersistent(this VirDomain domain) => Native.CheckFlag(NativeDomain.virDomainIsPersistent(domain.Handle));

    /// <summary>Whether its definition was changed while it ran. Stands for <c>virDomainIsUpdated</c>.</summary>
    public static bool IsUpdated(this VirDomain domain) => Native.CheckFlag(NativeDomain.virDomainIsUpdated(domain.Handle));

    /// <summary>Title, description or an application's element; null when it has none. Stands for <c>virDomainGetMetadata</c>.</summary>
    /// <param name="type">Which.</param>
    /// <param name="namespaceUri">The element's namespace, for <see cref="VirDomainMetadataType.Element"/>.</param>
    /// <param name="impact">Of which definition.</param>
    public static string? GetMetadata(
        this VirDomain domain, VirDomainMetadataType type, string? namespaceUri = null,
        VirDomainModificationImpact impact = VirDomainModificationImpact.Current)
    {
        try
        {
            return Native.TakeText(NativeDomain.virDomainGetMetadata(domain.Handle, (int)type, namespaceUri, (uint)impact));
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.NoDomainMetadata)
        {
            return null;
        }
    }

    /// <summary>Sets, replaces or removes title, description or an application's element. Stands for <c>virDomainSetMetadata</c>.</summary>
    /// <param name="type">Which.</param>
    /// <param name="metadata">The text, or the element's XML; null removes it.</param>
    /// <param name="prefix">The element's namespace prefix, for <see cref="VirDomainMetadataType.Element"/>.</param>
    /// <param name="namespaceUri">The element's namespace, for <see cref="VirDomainMetadataType.Element"/>.</param>
    /// <param name="impact">In which definition.</param>
    public static void SetMetadata(
        this VirDomain domain, VirDomainMetadataType type, string? metadata, string? prefix = null, string? namespaceUri = null,
        VirDomainModificationImpact impact = VirDomainModificationImpact.Current) =>
        Native.Check(NativeDomain.virDomainSetMetadata(domain.Handle, (int)type, metadata, prefix, namespaceUri, (uint)impact));
}
