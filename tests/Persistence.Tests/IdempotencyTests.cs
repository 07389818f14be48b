using ControlPlane.Domain;
using ControlPlane.Persistence.Idempotency;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Testing.Postgres;

namespace ControlPlane.Persistence.Tests;

public sealed class IdempotencyTests(MigratedPostgres postgres)
{
    private static readonly IdempotencyRecord First = new(
        "token", "key", [1], IdempotencyState.InProgress, null, new Dictionary<string, string>(), null, World.Now, World.Now.AddMinutes(1));

    [Fact]
    public async Task Of_equal_requests_at_once_exactly_one_takes_the_key()
    {
        await using var world = await World.CreateAsync(postgres);

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => TakeAsync(world, First)));

        Assert.Single(answers, fault => fault is null);
        Assert.All(answers.OfType<Fault>(), fault => Assert.Equal(IdempotencyStore.KeyTakenCode, fault.Code));
        Assert.Null(await TakeAsync(world, First with { Principal = "another" }));
    }

    [Fact]
    public async Task The_first_answer_is_kept_until_its_time_is_over()
    {
        await using var world = await World.CreateAsync(postgres);
        var store = world.Get<IdempotencyStore>();
        var done = First with
        {
            State = IdempotencyState.Done,
            Status = 202,
            Headers = new Dictionary<string, string> { ["Location"] = "/x" },
            ResponseBody = [1, 2],
            ExpiresAt = World.Now.AddDays(1),
        };
        Assert.Null(await TakeAsync(world, First));

        await world.CommitAsync(unit => store.Complete(unit, done));

        Assert.Equal(StoredJson.Write(done), StoredJson.Write(await store.FindAsync("token", "key", CancellationToken.None)));
        Assert.NotNull(await TakeAsync(world, First with { CreatedAt = World.Now.AddHours(1) }));
        Assert.Equal(0, await store.DeleteExpiredAsync(World.Now.AddHours(1), 10, CancellationToken.None));
        Assert.Null(await TakeAsync(world, First with { CreatedAt = World.Now.AddDays(1), ExpiresAt = World.Now.AddDays(2) }));
        Assert.Equal(1, await store.DeleteExpiredAsync(World.Now.AddDays(2), 10, CancellationToken.None));
    }

    [Fact]
    public async Task A_request_whose_time_was_over_does_not_answer_for_the_one_that_took_its_key()
    {
        await using var world = await World.CreateAsync(postgres);
        var store = world.Get<IdempotencyStore>();
        Assert.Null(await TakeAsync(world, First));
        var second = First with { CreatedAt = World.Now.AddMinutes(2), ExpiresAt = World.Now.AddMinutes(3) };
        Assert.Null(await TakeAsync(world, second));

        var late = First with { State = IdempotencyState.Done, Status = 201, ExpiresAt = World.Now.AddDays(1) };
        Assert.Equal(IdempotencyStore.KeyTakenCode, (await world.TryCommitAsync(unit => store.Complete(unit, late)))?.Code);
        await world.CommitAsync(unit => store.GiveUp(unit, First));
        Assert.Equal(second.CreatedAt, (await store.FindAsync("token", "key", CancellationToken.None))!.CreatedAt);

        await world.CommitAsync(unit => store.GiveUp(unit, second));
        Assert.Null(await store.FindAsync("token", "key", CancellationToken.None));
    }

    private static Task<Fault?> TakeAsync(World world, IdempotencyRecord record) =>
        world.TryCommitAsync(unit => world.Get<IdempotencyStore>().Take(unit, record));
}
