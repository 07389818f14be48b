namespace ControlPlane.LibvirtSharp.Tests.Daemons;

/// <summary>Between two real libvirtd, with a guest whose memory has 64 MiB that must be carried.</summary>
[Collection(nameof(TwoDaemons))]
public sealed class MigrationTests(TwoDaemons daemons)
{
    private const VirDomainMigrateFlags Live = VirDomainMigrateFlags.Live | VirDomainMigrateFlags.PersistDest | VirDomainMigrateFlags.UndefineSource;

    /// <summary>The daemons' host name leads to this machine, which they would refuse as a target: say where the memory goes.</summary>
    private static VirTypedParameters Parameters(int port, ulong mebibytesPerSecond) => new()
    {
        { VirMigrateParameter.Uri, $"tcp://127.0.0.1:{port}" }, { VirMigrateParameter.Bandwidth, mebibytesPerSecond },
    };

    [Fact]
    public async Task A_guest_moves_and_tells_how_far_it_is()
    {
        using var source = VirConnect.Open(daemons.Source.Uri);
        using var target = VirConnect.Open(daemons.Target.Uri);
        using var guest = source.DefineDomain(daemons.Guest("moves"));
        guest.Create();
        using var left = source.Subscribe(VirEventKinds.DomainLifecycle | VirEventKinds.MigrationIteration | VirEventKinds.JobCompleted);
        using var arrived = target.Subscribe(VirEventKinds.DomainLifecycle);
        var progress = new Recorder();

        using var moved = await guest.Migrate3Async(
            target, Parameters(49251, 32), Live, new VirMigrationWatch(progress, TimeSpan.FromMilliseconds(50)));

        Assert.Equal((guest.Uuid, VirDomainState.Running), (moved.Uuid, moved.GetState().State));
        Assert.Null(source.FindDomainByUuid(guest.Uuid));
        Assert.NotEmpty(progress.Seen);
        Assert.All(progress.Seen, each => Assert.Equal(VirDomainJobOperation.MigrationOut, each.Operation));
        var copying = progress.Seen.Where(each => each.MemoryTotalBytes > 0).ToList();
        Assert.True(copying.Count > 1, string.Join('\n', progress.Seen.Select(each => each.Parameters)));
        Assert.True(copying[^1].MemoryProcessedBytes > copying[0].MemoryProcessedBytes, string.Join('\n', copying.Select(each => each.Parameters)));
        Assert.True(copying[^1].MemoryRemainingBytes < copying[0].MemoryRemainingBytes, string.Join('\n', copying.Select(each => each.Parameters)));
        var done = moved.GetJobStatistics(VirDomainGetJobStatsFlags.Completed);
        Assert.Equal(VirDomainJobType.Completed, done.Type);
        Assert.True(done.MemoryProcessedBytes >= 64 << 20, $"{done.MemoryProcessedBytes}");
        Assert.NotNull(done.Downtime);

        await MustTellAsync(left, happened => happened is VirMigrationIterationEvent { Iteration: 1 });
        await MustTellAsync(left, happened => happened is VirDomainLifecycleEvent { Event: VirDomainEventType.Suspended, Detail: (int)VirDomainEventSuspendedDetailType.Migrated });
        await MustTellAsync(left, happened => happened is VirJobCompletedEvent);
        await MustTellAsync(arrived, happened => happened is VirDomainLifecycleEvent { Event: VirDomainEventType.Started, Detail: (int)VirDomainEventStartedDetailType.Migrated });
        await MustTellAsync(arrived, happened => happened is VirDomainLifecycleEvent { Event: VirDomainEventType.Resumed });
        moved.Destroy();
        moved.Undefine();
    }

    [Fact]
    public async Task A_guest_moves_peer_to_peer()
    {
        using var source = VirConnect.Open(daemons.Source.Uri);
        using var target = VirConnect.Open(daemons.Target.Uri);
        using var guest = source.CreateDomain(daemons.Guest("peer"));

        await guest.MigrateToUri3Async(daemons.Target.Uri, Parameters(49252, 0), VirDomainMigrateFlags.Live | VirDomainMigrateFlags.Peer2Peer);

        Assert.Null(source.FindDomainByUuid(guest.Uuid));
        using var moved = target.LookupDomainByUuid(guest.Uuid);
        Assert.Equal(VirDomainState.Running, moved.GetState().State);
        moved.Destroy();
    }

    [Fact]
    public async Task A_cancelled_migration_leaves_the_guest_where_it_was()
    {
        using var source = VirConnect.Open(daemons.Source.Uri);
        using var target = VirConnect.Open(daemons.Target.Uri);
        using var guest = source.CreateDomain(daemons.Guest("stays"));
        using var events = source.Subscribe(VirEventKinds.MigrationIteration);
        using var cancel = new CancellationTokenSource();
        var migration = guest.Migrate3Async(target, Parameters(49253, 1), VirDomainMigrateFlags.Live, cancellationToken: cancel.Token);
        await Events.EventTests.TakeAsync(events, 1);

        guest.SetMigrationMaxDowntime(TimeSpan.FromMilliseconds(123));
        Assert.Equal(TimeSpan.FromMilliseconds(123), guest.GetMigrationMaxDowntime());
        guest.SetMigrationMaxSpeed(2);
        Assert.Equal(2UL, guest.GetMigrationMaxSpeed());
        Assert.True(guest.GetJobStatistics().IsActive);
        Assert.Equal(VirErrorNumber.OperationInvalid, Assert.Throws<LibvirtException>(guest.StartPostCopy).Code);
        await cancel.CancelAsync();

        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => migration);
        Assert.Equal(VirErrorNumber.OperationAborted, Assert.IsType<LibvirtException>(cancelled.InnerException).Code);
        Assert.Equal(new VirDomainStateReason(VirDomainState.Running, (int)VirDomainRunningReason.Booted), guest.GetState());
        Assert.Null(target.FindDomainByUuid(guest.Uuid));
        guest.Destroy();
    }

    [Fact]
    public async Task A_migration_that_libvirt_refuses_is_a_typed_error()
    {
        using var source = VirConnect.Open(daemons.Source.Uri);
        using var guest = source.CreateDomain(daemons.Guest("refused"));

        var toItself = await Assert.ThrowsAsync<LibvirtException>(() => guest.Migrate3Async(source, Parameters(49254, 0), VirDomainMigrateFlags.Live));
        var wrongType = Assert.Throws<LibvirtException>(() => guest.MigrateToUri3(
            daemons.Target.Uri, new() { { VirMigrateParameter.Bandwidth, "much" } }, VirDomainMigrateFlags.Live | VirDomainMigrateFlags.Peer2Peer));

        Assert.Equal("virDomainMigrate3", toItself.Call);
        Assert.NotEqual(VirErrorNumber.Ok, toItself.Code);
        Assert.Equal((VirErrorNumber.InvalidArg, "virDomainMigrateToURI3"), (wrongType.Code, wrongType.Call));
        Assert.Equal(VirDomainState.Running, guest.GetState().State);
        guest.Destroy();
    }

    private static async Task MustTellAsync(VirEventSubscription events, Func<VirEvent, bool> wanted)
    {
        while (!wanted(Assert.Single(await Events.EventTests.TakeAsync(events, 1))))
        {
            // What comes before it.
        }
    }

    private sealed class Recorder : IProgress<VirJobStatistics>
    {
        public List<VirJobStatistics> Seen { get; } = [];

        public void Report(VirJobStatistics value) => Seen.Add(value);
    }
}
