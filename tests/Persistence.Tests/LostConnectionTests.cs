using ControlPlane.Domain;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing.Postgres;
using Npgsql;

namespace ControlPlane.Persistence.Tests;

/// <summary>Writes are neither lost nor doubled, wherever the connection breaks. Events have no key: a doubled write would show.</summary>
public sealed class LostConnectionTests(MigratedPostgres postgres)
{
    [Fact]
    public async Task A_commit_whose_answer_is_lost_is_found_and_not_done_again()
    {
        LossyProxy? proxy = null;
        await using var world = await World.CreateAsync(postgres, through: real => (proxy = new LossyProxy(real)).ConnectionString);
        await using var _ = proxy;

        proxy!.LoseAnswer("COMMIT\0");
        var fault = await world.TryCommitAsync(unit => Tell(world, unit, "once"));

        Assert.Null(fault);
        Assert.Equal(1, proxy.Cuts);
        Assert.Equal(1, await world.ScalarAsync<long>("SELECT count(*) FROM events"));
    }

    [Fact]
    public async Task A_commit_that_never_arrived_is_done_again()
    {
        LossyProxy? proxy = null;
        await using var world = await World.CreateAsync(postgres, through: real => (proxy = new LossyProxy(real)).ConnectionString);
        await using var _ = proxy;

        proxy!.LoseRequest("COMMIT\0");
        var fault = await world.TryCommitAsync(unit => Tell(world, unit, "once"));

        Assert.Null(fault);
        Assert.Equal(1, proxy.Cuts);
        Assert.Equal(1, await world.ScalarAsync<long>("SELECT count(*) FROM events"));
    }

    [Fact]
    public async Task Statements_that_never_arrived_are_sent_again()
    {
        LossyProxy? proxy = null;
        await using var world = await World.CreateAsync(postgres, through: real => (proxy = new LossyProxy(real)).ConnectionString);
        await using var _ = proxy;

        proxy!.LoseRequest("said-once");
        var fault = await world.TryCommitAsync(unit => Tell(world, unit, "said-once"));

        Assert.Null(fault);
        Assert.Equal(1, proxy.Cuts);
        Assert.Equal(1, await world.ScalarAsync<long>("SELECT count(*) FROM events"));
    }

    [Fact]
    public async Task Of_a_batch_whose_answer_is_lost_the_guilty_unit_still_hears_of_its_fault()
    {
        LossyProxy? proxy = null;
        await using var world = await World.CreateAsync(postgres, through: real => (proxy = new LossyProxy(real)).ConnectionString);
        await using var _ = proxy;
        await world.AddVmAsync("vm-3");

        // While the first commit waits for the lock, the others gather to one batch. All together it is refused and rolled back; the next
        // commit is that of the second try, unit by unit.
        proxy!.LoseAnswer("COMMIT\0", after: 1);
        await using var blocker = await world.Sql.OpenConnectionAsync();
        await using var hold = await blocker.BeginTransactionAsync();
        await using (var lockEvents = new NpgsqlCommand("LOCK TABLE events", blocker))
            await lockEvents.ExecuteNonQueryAsync();
        var first = world.TryCommitAsync(unit => Tell(world, unit, "first"));
        await world.WaitUntilAsync("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'events'::regclass");
        var gathered = Enumerable.Range(0, 8).Select(i => world.TryCommitAsync(unit =>
        {
            world.Vms.Insert(unit, world.NewVm($"vm-{i}", null));
            Tell(world, unit, $"vm-{i}");
        })).ToList();
        await hold.RollbackAsync();
        var answers = await Task.WhenAll(gathered);

        Assert.Null(await first);
        Assert.Equal(1, proxy.Cuts);
        Assert.Equal(WriteFaults.NameTakenCode, answers[3]?.Code);
        Assert.Single(answers.OfType<Fault>());
        Assert.Equal(1 + 7, await world.ScalarAsync<long>("SELECT count(*) FROM events"));
        Assert.Equal(8, await world.ScalarAsync<long>("SELECT count(*) FROM virtual_machines"));
    }

    [Fact]
    public async Task Sessions_that_PostgreSQL_ends_between_writes_are_made_again()
    {
        await using var world = await World.CreateAsync(postgres);
        await world.CommitAsync(unit => Tell(world, unit, "one"));

        Assert.True(await world.ScalarAsync<bool>(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'controlplane-writer-%' AND datname = current_database()"));
        Assert.Null(await world.TryCommitAsync(unit => Tell(world, unit, "two")));

        Assert.Equal(2, await world.ScalarAsync<long>("SELECT count(*) FROM events"));
    }

    [Fact]
    public async Task A_database_that_stays_away_is_a_fault_in_the_end_and_writes_go_on_when_it_is_back()
    {
        await using var world = await World.CreateAsync(postgres, new WriterOptions { GiveUpAfter = TimeSpan.FromMilliseconds(200) });
        await world.CommitAsync(unit => Tell(world, unit, "one"));
        await using var upkeep = NpgsqlDataSource.Create(postgres.Server.SuperuserConnectionString);
        await using var away = upkeep.CreateCommand(
            $"""
            ALTER DATABASE {world.Database} ALLOW_CONNECTIONS false;
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{world.Database}';
            """);
        await away.ExecuteNonQueryAsync();

        var fault = await world.TryCommitAsync(unit => Tell(world, unit, "two"));
        await using var back = upkeep.CreateCommand($"ALTER DATABASE {world.Database} ALLOW_CONNECTIONS true");
        await back.ExecuteNonQueryAsync();

        Assert.Equal(WriteFaults.DatabaseUnavailableCode, fault?.Code);
        Assert.Null(await world.TryCommitAsync(unit => Tell(world, unit, "three")));
        Assert.Equal(2, await world.ScalarAsync<long>("SELECT count(*) FROM events"));
    }

    private static void Tell(World world, WriteUnit unit, string subject) =>
        world.Get<EventStore>().Append(unit, new NewEvent("thing.happened", "/test", subject, null, "{}", World.Now));
}
