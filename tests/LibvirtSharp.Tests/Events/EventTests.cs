namespace ControlPlane.LibvirtSharp.Tests.Events;

public sealed class EventTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Events_come_in_the_order_in_which_they_happened()
    {
        using var connection = TestNode.Open();
        using var domain = connection.LookupDomainByName(TestNode.Domain);
        using var events = connection.Subscribe(VirEventKinds.DomainLifecycle);
        const int Rounds = 500;

        for (var round = 0; round < Rounds; round++)
        {
            domain.Suspend();
            domain.Resume();
        }

        var seen = await TakeAsync(events, 2 * Rounds);
        Assert.Equal(
            Enumerable.Repeat<VirDomainEventType[]>([VirDomainEventType.Suspended, VirDomainEventType.Resumed], Rounds).SelectMany(pair => pair),
            seen.Cast<VirDomainLifecycleEvent>().Select(happened => happened.Event));
        Assert.All(seen, happened => Assert.Equal((TestNode.Domain, TestNode.DomainUuid), Who((VirDomainEvent)happened)));
    }

    [Fact]
    public async Task One_subscription_keeps_the_order_of_several_kinds()
    {
        using var connection = TestNode.Open();
        using var domain = connection.LookupDomainByName(TestNode.Domain);
        using var events = connection.Subscribe(VirEventKinds.DomainLifecycle | VirEventKinds.MetadataChange);

        domain.Suspend();
        domain.SetMetadata(VirDomainMetadataType.Element, "<a/>", "t", "urn:a");
        domain.Resume();

        var seen = await TakeAsync(events, 3);
        Assert.Equal(VirDomainEventType.Suspended, Assert.IsType<VirDomainLifecycleEvent>(seen[0]).Event);
        Assert.Equal((VirDomainMetadataType.Element, "urn:a"), Assert.IsType<VirMetadataChangeEvent>(seen[1]) is var change ? (change.Type, change.NamespaceUri) : default);
        Assert.Equal(VirDomainEventType.Resumed, Assert.IsType<VirDomainLifecycleEvent>(seen[2]).Event);
    }

    [Fact]
    public async Task Every_kind_can_be_subscribed_to_and_details_say_why()
    {
        using var connection = TestNode.Open();
        using var domain = connection.LookupDomainByName(TestNode.Domain);
        using var events = connection.Subscribe(VirEventKinds.All);

        domain.Destroy();

        var stopped = Assert.IsType<VirDomainLifecycleEvent>(Assert.Single(await TakeAsync(events, 1)));
        Assert.Equal((VirDomainEventType.Stopped, (int)VirDomainEventStoppedDetailType.Destroyed), (stopped.Event, stopped.Detail));
    }

    /// <summary>libvirt's thread is shown to have passed the later event on by another subscription, which got it.</summary>
    [Fact]
    public async Task After_dispose_no_event_is_taken_and_those_before_can_still_be_read()
    {
        using var connection = TestNode.Open();
        using var domain = connection.LookupDomainByName(TestNode.Domain);
        // Events are passed on in the order of the subscriptions: what the second has, the first had before.
        var goes = connection.Subscribe(VirEventKinds.DomainLifecycle);
        using var stays = connection.Subscribe(VirEventKinds.DomainLifecycle);
        domain.Suspend();
        await TakeAsync(stays, 1);

        goes.Dispose();
        goes.Dispose();
        domain.Resume();
        await TakeAsync(stays, 1);

        Assert.Equal(VirDomainEventType.Suspended, Assert.IsType<VirDomainLifecycleEvent>(Assert.Single(await ToListAsync(goes))).Event);
    }

    [Fact]
    public async Task Subscriptions_that_come_and_go_amid_events_do_no_harm()
    {
        using var connection = TestNode.Open();
        using var domain = connection.LookupDomainByName(TestNode.Domain);
        using var stop = new CancellationTokenSource();
        var storm = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                domain.Suspend();
                domain.Resume();
            }
        });
        storm.Start();
        var got = 0;

        for (var round = 0; round < 500; round++)
        {
            using var events = connection.Subscribe(VirEventKinds.AllOfDomains);
            if (round % 10 == 0)
                got += (await TakeAsync(events, 1)).Count;
        }

        await stop.CancelAsync();
        storm.Join();
        Assert.Equal(50, got);
        using var afterwards = connection.Subscribe(VirEventKinds.DomainLifecycle);
        domain.Suspend();
        Assert.IsType<VirDomainLifecycleEvent>(Assert.Single(await TakeAsync(afterwards, 1)));
    }

    [Fact]
    public async Task Closing_the_connection_ends_its_subscriptions()
    {
        var connection = TestNode.Open();
        var events = connection.Subscribe(VirEventKinds.All);

        Assert.Equal(0, connection.Close());

        Assert.Empty(await ToListAsync(events));
        Assert.Throws<ObjectDisposedException>(() => connection.Subscribe(VirEventKinds.All));
    }

    [Fact]
    public async Task A_reader_that_throws_harms_neither_the_next_reader_nor_the_process()
    {
        using var connection = TestNode.Open();
        using var domain = connection.LookupDomainByName(TestNode.Domain);
        using var events = connection.Subscribe(VirEventKinds.DomainLifecycle);
        domain.Suspend();
        domain.Resume();

        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (var _ in events.ReadAllAsync())
                throw new InvalidOperationException("a handler's own");
        });

        Assert.Equal(VirDomainEventType.Resumed, Assert.IsType<VirDomainLifecycleEvent>(Assert.Single(await TakeAsync(events, 1))).Event);
    }

    [Fact]
    public async Task A_slow_reader_is_told_where_events_are_missing()
    {
        using var connection = TestNode.Open();
        using var domain = connection.LookupDomainByName(TestNode.Domain);
        using var all = connection.Subscribe(VirEventKinds.DomainLifecycle);
        using var few = connection.Subscribe(VirEventKinds.DomainLifecycle, capacity: 3);
        for (var round = 0; round < 5; round++)
        {
            domain.Suspend();
            domain.Resume();
        }

        await TakeAsync(all, 10);
        var first = await TakeAsync(few, 4);
        domain.Suspend();
        var afterwards = await TakeAsync(few, 1);

        Assert.All(first.Take(3), happened => Assert.IsType<VirDomainLifecycleEvent>(happened));
        Assert.IsType<VirEventsLostEvent>(first[3]);
        Assert.Equal(VirDomainEventType.Suspended, Assert.IsType<VirDomainLifecycleEvent>(Assert.Single(afterwards)).Event);
    }

    [Fact]
    public void A_subscription_that_can_keep_nothing_is_refused()
    {
        using var connection = TestNode.Open();

        Assert.Throws<ArgumentOutOfRangeException>(() => connection.Subscribe(VirEventKinds.All, capacity: 0));
    }

    internal static async Task<List<VirEvent>> TakeAsync(VirEventSubscription events, int count)
    {
        using var limit = new CancellationTokenSource(Soon);
        var taken = new List<VirEvent>(count);
        await foreach (var happened in events.ReadAllAsync(limit.Token))
        {
            taken.Add(happened);
            if (taken.Count == count)
                break;
        }

        return taken;
    }

    private static async Task<List<VirEvent>> ToListAsync(VirEventSubscription ended)
    {
        var list = new List<VirEvent>();
        await foreach (var happened in ended.ReadAllAsync())
            list.Add(happened);
        return list;
    }

    private static (string, Guid) Who(VirDomainEvent happened) => (happened.Domain.Name, happened.Domain.Uuid);
}
