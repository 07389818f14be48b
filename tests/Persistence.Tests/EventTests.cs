using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing.Postgres;

namespace ControlPlane.Persistence.Tests;

public sealed class EventTests(MigratedPostgres postgres)
{
    [Fact]
    public async Task A_reader_that_goes_on_after_the_last_one_it_saw_misses_none_while_many_writers_commit()
    {
        await using var world = await World.CreateAsync(postgres, new WriterOptions { Connections = 4, BatchMax = 3 });
        const int count = 400;
        var seen = new List<EventRecord>();
        var written = false;
        var reading = Task.Run(async () =>
        {
            while (true)
            {
                var isLast = Volatile.Read(ref written);
                var page = await world.Get<EventStore>().ReadAfterAsync(seen.Count == 0 ? 0 : seen[^1].Sequence, new EventFilter(), 100, CancellationToken.None);
                seen.AddRange(page);
                if (isLast && page.Count == 0)
                    return;
            }
        });

        var answers = await Task.WhenAll(Enumerable.Range(0, count).Select(i => world.TryCommitAsync(unit => Tell(world, unit, $"{i}"))));
        Volatile.Write(ref written, true);
        await reading;

        Assert.All(answers, Assert.Null);
        Assert.Equal(count, seen.Count);
        Assert.Equal(seen.Select(e => e.Sequence).Order(), seen.Select(e => e.Sequence));
        Assert.Equal(count, seen.Select(e => e.Subject).Distinct().Count());
    }

    [Fact]
    public async Task No_event_shows_before_one_of_another_server_that_has_the_lower_sequence()
    {
        LossyProxy? proxy = null;
        await using var slow = await World.CreateAsync(postgres, through: real => (proxy = new LossyProxy(real)).ConnectionString);
        await using var _ = proxy;
        await using var quick = World.On(slow);
        await quick.CommitAsync(unit => unit.Signal(World.NewId()));

        var commit = proxy!.HoldRequest("COMMIT\0");
        var first = slow.TryCommitAsync(unit => Tell(slow, unit, "first"));
        await slow.WaitUntilAsync("SELECT is_called FROM events_sequence_seq");
        var second = quick.TryCommitAsync(unit => Tell(quick, unit, "second"));
        await Task.WhenAny(second, slow.WaitUntilAsync("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"));

        Assert.False(second.IsCompleted);
        Assert.Empty(await ReadAsync(quick, new EventFilter()));
        commit.Dispose();
        Assert.Null(await first);
        Assert.Null(await second);
        Assert.Equal(["first", "second"], (await ReadAsync(quick, new EventFilter())).Select(e => e.Subject));
    }

    [Fact]
    public async Task Events_of_one_unit_keep_their_order()
    {
        await using var world = await World.CreateAsync(postgres);
        var subjects = Enumerable.Range(0, 50).Select(i => $"{i}").ToList();

        await world.CommitAsync(unit => subjects.ForEach(subject => Tell(world, unit, subject)));

        Assert.Equal(subjects, (await ReadAsync(world, new EventFilter())).Select(e => e.Subject));
    }

    [Fact]
    public async Task Filters_choose_by_project_type_and_subject()
    {
        await using var world = await World.CreateAsync(postgres);
        await world.CommitAsync(unit =>
        {
            Tell(world, unit, "a", "vm.created", world.Project.Id);
            Tell(world, unit, "b", "vm.state-changed");
            Tell(world, unit, "c", "vmx.created");
        });

        Assert.Equal(["a"], (await ReadAsync(world, new EventFilter(Project: world.Project.Id))).Select(e => e.Subject));
        Assert.Equal(["a", "b"], (await ReadAsync(world, new EventFilter(Type: "vm"))).Select(e => e.Subject));
        Assert.Equal(["b"], (await ReadAsync(world, new EventFilter(Type: "vm.state-changed"))).Select(e => e.Subject));
        Assert.Equal(["c"], (await ReadAsync(world, new EventFilter(Subject: "c"))).Select(e => e.Subject));
    }

    [Fact]
    public async Task Retention_removes_the_oldest_and_says_where_the_log_now_begins()
    {
        await using var world = await World.CreateAsync(postgres);
        for (var day = 0; day < 4; day++)
            await world.CommitAsync(unit => Tell(world, unit, $"{day}", at: World.Now.AddDays(day)));
        var store = world.Get<EventStore>();

        Assert.Equal(1, await store.DeleteBeforeAsync(World.Now.AddDays(2), 1, CancellationToken.None));
        Assert.Equal(1, await store.DeleteBeforeAsync(World.Now.AddDays(2), 10, CancellationToken.None));
        Assert.Equal(0, await store.DeleteBeforeAsync(World.Now.AddDays(2), 10, CancellationToken.None));

        var left = await ReadAsync(world, new EventFilter());
        Assert.Equal(["2", "3"], left.Select(e => e.Subject));
        Assert.Equal(left[0].Sequence, await store.EarliestSequenceAsync(CancellationToken.None));
        Assert.Equal(left[^1].Sequence, await store.LatestSequenceAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_commit_is_told_to_this_server_at_once_and_to_the_others_by_the_database()
    {
        await using var world = await World.CreateAsync(postgres);
        await using var other = World.On(world);
        var (here, there) = (Listen(world), Listen(other));
        using var stop = new CancellationTokenSource();
        var listening = other.Get<NotificationListener>().RunAsync(stop.Token);
        await world.WaitUntilAsync("SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle' AND datname = current_database()");
        var saga = World.NewId();

        await world.CommitAsync(unit =>
        {
            Tell(world, unit, "one");
            unit.Signal(saga);
        });

        foreach (var heard in new[] { here, there })
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            var signal = await Task.Run(() => heard.Take(limit.Token));
            Assert.True(signal.HasEvents);
            Assert.Equal([saga], signal.Ids);
            Assert.False(signal.MayHaveMissed);
        }
        await stop.CancelAsync();
        await listening;
        Assert.Empty(here);
    }

    [Fact]
    public async Task A_listener_whose_connection_broke_tells_that_news_may_have_been_missed()
    {
        await using var world = await World.CreateAsync(postgres);
        var heard = Listen(world);
        using var stop = new CancellationTokenSource();
        var listening = world.Get<NotificationListener>().RunAsync(stop.Token);
        await world.WaitUntilAsync("SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND state = 'idle' AND datname = current_database()");

        await world.ScalarAsync<bool>("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' AND datname = current_database()");

        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Assert.True((await Task.Run(() => heard.Take(limit.Token))).MayHaveMissed);
        await stop.CancelAsync();
        await listening;
    }

    private static BlockingCollection<CommitSignal> Listen(World world)
    {
        var heard = new BlockingCollection<CommitSignal>();
        world.Get<CommitSignals>().Committed += heard.Add;
        return heard;
    }

    private static async Task<IReadOnlyList<EventRecord>> ReadAsync(World world, EventFilter filter) =>
        (await world.Get<EventStore>().ListAsync(filter, new PageRequest(1000), CancellationToken.None)).Value.Items;

    private static void Tell(
        World world, WriteUnit unit, string subject, string type = "thing.happened", ProjectId? project = null, DateTimeOffset? at = null) =>
        world.Get<EventStore>().Append(unit, new NewEvent(type, "/test", subject, project, "{}", at ?? World.Now));
}
