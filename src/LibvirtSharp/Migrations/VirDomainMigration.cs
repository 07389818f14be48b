namespace LibvirtSharp;

/// <summary>
/// Moving domains between hosts. A domain has one migration at a time; while it runs, other threads may ask for its statistics
/// (<see cref="VirDomainJobs"/>), change its limits, start post-copy or abort it.
/// </summary>
public static unsafe class VirDomainMigration
{
    /// <summary>
    /// Moves a domain to another host, peer to peer: the source's daemon connects to the target's. Blocks until it is there or has failed;
    /// after a failure it runs on at the source. Stands for <c>virDomainMigrateToURI3</c>.
    /// </summary>
    /// <param name="targetUri">The target's libvirt, as the source's daemon reaches it.</param>
    /// <param name="parameters">As <see cref="VirMigrateParameter"/> names them.</param>
    /// <param name="flags">With <see cref="VirDomainMigrateFlags.Peer2Peer"/>, for hypervisors with a daemon.</param>
    /// <exception cref="LibvirtException">
    /// <see cref="VirErrorNumber.OperationAborted"/> after an abort; <see cref="VirErrorNumber.MigrateUnsafe"/>;
    /// <see cref="VirErrorNumber.OperationInvalid"/> for a device that cannot travel...
    /// </exception>
    public static void MigrateToUri3(
        this VirDomain domain, string? targetUri, VirTypedParameters? parameters = null, VirDomainMigrateFlags flags = VirDomainMigrateFlags.None)
    {
        using var block = new TypedParameterBlock(parameters);
        Native.Check(NativeMigration.virDomainMigrateToURI3(domain.Handle, targetUri, block.Pointer, (uint)block.Count, (uint)flags));
    }

    /// <summary>
    /// Moves a domain to another host, driven by this process, which is connected to both; if this process dies the migration fails. Blocks
    /// until it is there or has failed. Stands for <c>virDomainMigrate3</c>.
    /// </summary>
    /// <param name="target">A connection to the target.</param>
    /// <param name="parameters">As <see cref="VirMigrateParameter"/> names them.</param>
    /// <param name="flags">Without <see cref="VirDomainMigrateFlags.Peer2Peer"/>.</param>
    /// <returns>The domain on the target; the caller's to dispose.</returns>
    /// <exception cref="LibvirtException">As for <see cref="MigrateToUri3"/>.</exception>
    public static VirDomain Migrate3(
        this VirDomain domain, VirConnect target, VirTypedParameters? parameters = null, VirDomainMigrateFlags flags = VirDomainMigrateFlags.None)
    {
        using var block = new TypedParameterBlock(parameters);
        return new(target, Native.Check(NativeMigration.virDomainMigrate3(
            domain.Handle, target.Handle, block.Pointer, (uint)block.Count, (uint)flags)));
    }

    /// <summary>
    /// How long the guest may stand still at the switch-over: the hypervisor switches when what is left can be sent in that time. May be
    /// changed while the migration runs. Stands for <c>virDomainMigrateSetMaxDowntime</c>.
    /// </summary>
    /// <param name="downtime">Whole milliseconds.</param>
    public static void SetMigrationMaxDowntime(this VirDomain domain, TimeSpan downtime) =>
        Native.Check(NativeMigration.virDomainMigrateSetMaxDowntime(domain.Handle, (ulong)downtime.TotalMilliseconds, 0));

    /// <summary>Stands for <c>virDomainMigrateGetMaxDowntime</c>.</summary>
    public static TimeSpan GetMigrationMaxDowntime(this VirDomain domain)
    {
        ulong milliseconds;
        Native.Check(NativeMigration.virDomainMigrateGetMaxDowntime(domain.Handle, &milliseconds, 0));
        return TimeSpan.FromMilliseconds((double)milliseconds);
    }

    /// <summary>
    /// How fast memory is sent at most. May be changed while the migration runs. Stands for <c>virDomainMigrateSetMaxSpeed</c>.
    /// </summary>
    public static void SetMigrationMaxSpeed(
        this VirDomain domain, ulong mebibytesPerSecond, VirDomainMigrateMaxSpeedFlags flags = VirDomainMigrateMaxSpeedFlags.None) =>
        Native.Check(NativeMigration.virDomainMigrateSetMaxSpeed(domain.Handle, (nuint)mebibytesPerSecond, (uint)flags));

    /// <summary>In MiB/s. Stands for <c>virDomainMigrateGetMaxSpeed</c>.</summary>
    public static ulong GetMigrationMaxSpeed(this VirDomain domain, VirDomainMigrateMaxSpeedFlags flags = VirDomainMigrateMaxSpeedFlags.None)
    {
        nuint mebibytesPerSecond;
        Native.Check(NativeMigration.virDomainMigrateGetMaxSpeed(domain.Handle, &mebibytesPerSecond, (uint)flags));
        return mebibytesPerSecond;
    }

    /// <summary>
    /// Switches a running migration over at once: the guest runs on the target and asks for the pages that it misses. From then on a lost
    /// network loses the guest. The migration was begun with <see cref="VirDomainMigrateFlags.Postcopy"/>. Stands for
    /// <c>virDomainMigrateStartPostCopy</c>.
    /// </summary>
    public static void StartPostCopy(this VirDomain domain) => Native.Check(NativeMigration.virDomainMigrateStartPostCopy(domain.Handle, 0));

    /// <summary>In bytes. Stands for <c>virDomainMigrateSetCompressionCache</c>.</summary>
    public static void SetMigrationCompressionCache(this VirDomain domain, ulong sizeBytes) =>
        Native.Check(NativeMigration.virDomainMigrateSetCompressionCache(domain.Handle, sizeBytes, 0));

    /// <summary>In bytes. Stands for <c>virDomainMigrateGetCompressionCache</c>.</summary>
    public static ulong GetMigrationCompressionCache(this VirDomain domain)
    {
        ulong sizeBytes;
        Native.Check(NativeMigration.virDomainMigrateGetCompressionCache(domain.Handle, &sizeBytes, 0));
        return sizeBytes;
    }
}
