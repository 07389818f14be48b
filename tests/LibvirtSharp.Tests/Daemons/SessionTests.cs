namespace ControlPlane.LibvirtSharp.Tests.Daemons;

/// <summary>What happens to connections and sessions when the daemon dies, hangs and comes back.</summary>
[Collection(nameof(TwoDaemons))]
public sealed class SessionTests(TwoDaemons daemons)
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_session_comes_back_after_its_daemon_was_killed_and_its_events_with_it()
    {
        var daemon = daemons.Target;
        using var limit = new CancellationTokenSource(Soon);
        await using var session = VirSession.Start(new VirSessionOptions(daemon.Uri) { PauseMax = TimeSpan.FromSeconds(1) });
        await using var events = session.ReadAllAsync(limit.Token).GetAsyncEnumerator(limit.Token);
        var first = await NextAsync<VirConnectedEvent>(events);
        Assert.Equal((1, false), (first.Number, first.EventsMayBeLost));
        Assert.Same(first.Connection, session.Connection);
        using var guest = first.Connection.CreateDomain(daemons.Guest("outlives"));
        await NextAsync<VirDomainLifecycleEvent>(events);

        daemon.Kill();
        var lost = await NextAsync<VirDisconnectedEvent>(events);
        Assert.Equal(VirConnectCloseReason.Eof, lost.Reason);
        var refused = await NextAsync<VirDisconnectedEvent>(events);
        Assert.True(Assert.IsType<LibvirtException>(refused.Error).IsConnectionLost, refused.Error?.Message);
        Assert.Null(session.Connection);
        var gone = Assert.Throws<LibvirtException>(() => guest.GetState());
        Assert.True(gone.IsConnectionLost, $"{gone.Code} {gone.Domain}");
        await daemon.StartAsync();

        var second = await NextAsync<VirConnectedEvent>(events);
        Assert.Equal((2, true), (second.Number, second.EventsMayBeLost));
        Assert.NotSame(first.Connection, second.Connection);
        Assert.Same(second.Connection, await session.WaitForConnectionAsync(limit.Token));
        using var found = second.Connection.LookupDomainByUuid(guest.Uuid);
        found.Destroy();
        VirDomainLifecycleEvent stopped;
        do
            stopped = await NextAsync<VirDomainLifecycleEvent>(events);
        while (stopped.Event != VirDomainEventType.Stopped);
        Assert.Equal(guest.Uuid, stopped.Domain.Uuid);
    }

    [Fact]
    public async Task Keep_alive_notices_a_daemon_that_hangs_and_ends_subscriptions()
    {
        using var connection = VirConnect.Open(daemons.Target.Uri);
        var events = connection.Subscribe(VirEventKinds.All);
        Assert.True(connection.SetKeepAlive(TimeSpan.FromSeconds(1), 1));

        daemons.Target.Signal("STOP");
        try
        {
            Assert.Equal(VirConnectCloseReason.Keepalive, await connection.Closed.WaitAsync(Soon));
            await foreach (var happened in events.ReadAllAsync())
                Assert.IsNotType<VirEventsLostEvent>(happened);
            Assert.False(connection.IsAlive());
        }
        finally
        {
            daemons.Target.Signal("CONT");
        }
    }

    [Fact]
    public async Task A_session_that_never_connects_tells_each_try_and_can_be_stopped()
    {
        var session = VirSession.Start(new VirSessionOptions("qemu+unix:///session?socket=/nowhere/libvirt-sock")
        {
            PauseMin = TimeSpan.FromMilliseconds(1), PauseMax = TimeSpan.FromMilliseconds(4),
        });
        var waiting = session.WaitForConnectionAsync();
        var pauses = new List<TimeSpan>();
        await foreach (var happened in session.ReadAllAsync())
        {
            var failed = Assert.IsType<VirDisconnectedEvent>(happened);
            Assert.Equal(VirErrorNumber.SystemError, Assert.IsType<LibvirtException>(failed.Error).Code);
            pauses.Add(failed.TriesAgainIn);
            if (pauses.Count == 4)
                break;
        }

        await session.DisposeAsync();
        await session.DisposeAsync();

        Assert.Equal([1, 2, 4, 4], pauses.Select(pause => pause.TotalMilliseconds));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
    }

    [Fact]
    public async Task A_stopped_session_closes_its_connection_and_ends_its_stream()
    {
        var session = VirSession.Start(new VirSessionOptions(daemons.Source.Uri));
        var connection = await session.WaitForConnectionAsync().WaitAsync(Soon);

        await session.DisposeAsync();

        Assert.Equal(VirConnectCloseReason.Client, await connection.Closed);
        Assert.False(connection.IsAlive());
        await foreach (var happened in session.ReadAllAsync())
            Assert.IsType<VirConnectedEvent>(happened);
    }

    private static async Task<T> NextAsync<T>(IAsyncEnumerator<VirEvent> events) where T : VirEvent
    {
        do
            Assert.True(await events.MoveNextAsync(), "the stream ended");
        while (events.Current is not T);
        return (T)events.Current;
    }
}
