namespace LibvirtSharp;

/// <summary>How a domain is migrated. Stands for C's <c>virDomainMigrateFlags</c>.</summary>
[Flags]
public enum VirDomainMigrateFlags : uint
{
    /// <summary>No flag: the default.</summary>
    None = 0,

    /// <summary><c>VIR_MIGRATE_LIVE</c>: the guest runs on while its memory is copied. It may never converge when the guest writes
    /// faster than the network carries.</summary>
    Live = 1u << 0,

    /// <summary><c>VIR_MIGRATE_PEER2PEER</c>: the source's daemon connects to the target's itself and drives the migration; else this
    /// client does, connected to both.</summary>
    Peer2Peer = 1u << 1,

    /// <summary><c>VIR_MIGRATE_TUNNELLED</c>: the memory travels through the daemons' connection; only with <c>Peer2Peer</c>.</summary>
    Tunnelled = 1u << 2,

    /// <summary><c>VIR_MIGRATE_PERSIST_DEST</c>: it is defined on the target when it has arrived.</summary>
    PersistDest = 1u << 3,

    /// <summary><c>VIR_MIGRATE_UNDEFINE_SOURCE</c>: its definition on the source goes when it has left.</summary>
    UndefineSource = 1u << 4,

    /// <summary><c>VIR_MIGRATE_PAUSED</c>: it waits on the target for a resume.</summary>
    Paused = 1u << 5,

    /// <summary><c>VIR_MIGRATE_NON_SHARED_DISK</c>: disks that are not shared are copied whole.</summary>
    NonSharedDisk = 1u << 6,

    /// <summary><c>VIR_MIGRATE_NON_SHARED_INC</c>: of disks that are not shared the top layer is copied; the target has the backing
    /// files.</summary>
    NonSharedInc = 1u << 7,

    /// <summary><c>VIR_MIGRATE_CHANGE_PROTECTION</c>: its definition may not change meanwhile; used anyway where both sides can.</summary>
    ChangeProtection = 1u << 8,

    /// <summary><c>VIR_MIGRATE_UNSAFE</c>: go on where libvirt fears for the disks (caching, storage that does not look shared).</summary>
    Unsafe = 1u << 9,

    /// <summary><c>VIR_MIGRATE_OFFLINE</c>: move the definition of a domain that is off; disks stay.</summary>
    Offline = 1u << 10,

    /// <summary><c>VIR_MIGRATE_COMPRESSED</c>: memory is compressed; how, a parameter says.</summary>
    Compressed = 1u << 11,

    /// <summary><c>VIR_MIGRATE_ABORT_ON_ERROR</c>: a disk error of the guest ends the migration.</summary>
    AbortOnError = 1u << 12,

    /// <summary><c>VIR_MIGRATE_AUTO_CONVERGE</c>: the guest's vCPUs are slowed down step by step until the copy catches up.</summary>
    AutoConverge = 1u << 13,

    /// <summary><c>VIR_MIGRATE_RDMA_PIN_ALL</c>: all memory is pinned before an RDMA migration begins.</summary>
    RdmaPinAll = 1u << 14,

    /// <summary><c>VIR_MIGRATE_POSTCOPY</c>: post-copy may be started during the migration.</summary>
    Postcopy = 1u << 15,

    /// <summary><c>VIR_MIGRATE_TLS</c>: memory and disks travel over TLS; both hosts have certificates for it.</summary>
    Tls = 1u << 16,

    /// <summary><c>VIR_MIGRATE_PARALLEL</c>: memory travels over several connections.</summary>
    Parallel = 1u << 17,

    /// <summary><c>VIR_MIGRATE_NON_SHARED_SYNCHRONOUS_WRITES</c>: a disk write of the guest waits until it is on the target too, so that
    /// disks converge.</summary>
    NonSharedSynchronousWrites = 1u << 18,

    /// <summary><c>VIR_MIGRATE_POSTCOPY_RESUME</c>: continue a post-copy migration that broke.</summary>
    PostcopyResume = 1u << 19,

    /// <summary><c>VIR_MIGRATE_ZEROCOPY</c>: pages are sent without copying them first; only with <c>Parallel</c>.</summary>
    Zerocopy = 1u << 20,
}
