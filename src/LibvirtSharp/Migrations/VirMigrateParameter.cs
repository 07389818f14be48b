namespace LibvirtSharp;

/// <summary>
/// Names of a migration's typed parameters, C's <c>VIR_MIGRATE_PARAM_*</c>, each with the type that libvirt wants. <see cref="MigrateDisks"/>
/// may occur several times.
/// </summary>
public static class VirMigrateParameter
{
    /// <summary>string: where the target's hypervisor is reached for the memory, such as <c>tcp://10.0.0.2:49152</c>; by default libvirt finds out.</summary>
    public const string Uri = "migrate_uri";

    /// <summary>string: the domain's name on the target, when it is to be another.</summary>
    public const string DestinationName = "destination_name";

    /// <summary>string: the live definition on the target; may differ in what the guest cannot see.</summary>
    public const string DestinationXml = "destination_xml";

    /// <summary>string: the definition that is stored on the target, with <see cref="VirDomainMigrateFlags.PersistDest"/>.</summary>
    public const string PersistentXml = "persistent_xml";

    /// <summary>ulong: the most MiB/s; 0 for the hypervisor's default.</summary>
    public const string Bandwidth = "bandwidth";

    /// <summary>ulong: the most MiB/s of the post-copy phase; 0 for the hypervisor's default.</summary>
    public const string BandwidthPostcopy = "bandwidth.postcopy";

    /// <summary>string: where the target's graphics are reached by clients.</summary>
    public const string GraphicsUri = "graphics_uri";

    /// <summary>string: the address that the target listens on for the memory and the disks.</summary>
    public const string ListenAddress = "listen_address";

    /// <summary>string, may occur several times: a disk to copy, by its target such as <c>vda</c>; none for all that are not shared.</summary>
    public const string MigrateDisks = "migrate_disks";

    /// <summary>int: the port that the target listens on for the disks.</summary>
    public const string DisksPort = "disks_port";

    /// <summary>string: where the target is reached for the disks.</summary>
    public const string DisksUri = "disks_uri";

    /// <summary>string, may occur several times: <c>mt</c> or <c>xbzrle</c>.</summary>
    public const string Compression = "compression";

    /// <summary>int: 0 (none) to 9.</summary>
    public const string CompressionMtLevel = "compression.mt.level";

    /// <summary>int: threads that compress on the source.</summary>
    public const string CompressionMtThreads = "compression.mt.threads";

    /// <summary>int: threads that decompress on the target.</summary>
    public const string CompressionMtDthreads = "compression.mt.dthreads";

    /// <summary>ulong: bytes of the page cache that differences are computed against.</summary>
    public const string CompressionXbzrleCache = "compression.xbzrle.cache";

    /// <summary>int: percent that the vCPUs are slowed down by at first, with <see cref="VirDomainMigrateFlags.AutoConverge"/>.</summary>
    public const string AutoConvergeInitial = "auto_converge.initial";

    /// <summary>int: percent that each further step adds.</summary>
    public const string AutoConvergeIncrement = "auto_converge.increment";

    /// <summary>int: how many, with <see cref="VirDomainMigrateFlags.Parallel"/>.</summary>
    public const string ParallelConnections = "parallel.connections";

    /// <summary>string: the name that the target's certificate must have, when it is not the URI's.</summary>
    public const string TlsDestination = "tls.destination";
}
