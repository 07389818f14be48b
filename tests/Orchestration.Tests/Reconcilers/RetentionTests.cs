using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Idempotency;
using ControlPlane.Persistence.Operations;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>What has been kept long enough goes, in bites, and nothing else does.</summary>
public sealed class RetentionTests
{
    [Fact]
    public async Task Old_events_go_the_oldest_first_and_no_more_than_a_run_may_delete()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await world.StartAsync(Audits.AtOnce with { DeleteBatch = 2, DeleteBatchesMax = 2 }, runs: false);
        var now = DateTimeOffset.UnixEpoch.AddYears(60);
        await WriteAsync(process, unit =>
        {
            for (var i = 0; i < 5; i++)
                process.Get<EventStore>().Append(unit, new NewEvent("vm.changed", "/", $"{i}", null, "{}", now.AddYears(-40).AddDays(i)));
            process.Get<EventStore>().Append(unit, new NewEvent("vm.changed", "/", "new", null, "{}", now));
        });

        var first = await process.Get<EventRetention>().RunAsync(default);
        Assert.Equal(["4", "new"], await SubjectsAsync(process));
        var second = await process.Get<EventRetention>().RunAsync(default);

        Assert.Equal((4, 1), (first.Changed, second.Changed));
        Assert.Equal(["new"], await SubjectsAsync(process));
    }

    [Fact]
    public async Task A_key_whose_request_never_came_to_an_end_is_free_again_and_a_young_one_is_kept()
    {
        await using var world = await ControlPlaneWorld.CreateAsync();
        await using var process = await world.StartAsync(runs: false);
        var keys = process.Get<IdempotencyStore>();
        var now = world.Clock.GetUtcNow();
        await WriteAsync(process, unit => keys.Take(unit, Key("stale", now.AddHours(-1))));
        await WriteAsync(process, unit => keys.Take(unit, Key("young", now.AddHours(1))));

        var report = await process.Get<IdempotencyRetention>().RunAsync(default);

        Assert.Equal(1, report.Changed);
        Assert.Null(await keys.FindAsync("token", "stale", default));
        Assert.NotNull(await keys.FindAsync("token", "young", default));
    }

    [Fact]
    public async Task An_old_operation_goes_with_its_log_but_not_before_its_migration_and_never_while_it_is_stuck()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Failover));
        var migration = (await process.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(vm.Id, null, MigrationRequest.Default), default))).Value;
        Assert.Equal(OperationState.Succeeded, (await process.EndAsync(migration.Operation)).State);
        await world.SqlAsync("UPDATE operations SET ended_at = ended_at - interval '60 days'");
        await world.SqlAsync("UPDATE operations SET state = 'stuck' WHERE kind = 'host.connect'");
        var stuck = await world.CountAsync("SELECT count(*) FROM operations WHERE state = 'stuck'");

        await process.Get<OperationRetention>().RunAsync(default);
        Assert.Equal(stuck + 1, await world.CountAsync("SELECT count(*) FROM operations"));
        Assert.NotEmpty(await process.Get<OperationStore>().StepsAsync(migration.Operation, default));
        await process.Get<MigrationRetention>().RunAsync(default);
        Assert.Equal(1, await world.CountAsync("SELECT count(*) FROM vm_migrations"));
        await world.SqlAsync("UPDATE vm_migrations SET ended_at = ended_at - interval '91 days'");
        await process.Get<MigrationRetention>().RunAsync(default);
        await process.Get<OperationRetention>().RunAsync(default);

        Assert.Equal(stuck, await world.CountAsync("SELECT count(*) FROM operations"));
        Assert.Equal(stuck, await world.CountAsync("SELECT count(*) FROM sagas"));
        Assert.Equal(0, await world.CountAsync("SELECT count(*) FROM saga_log l WHERE NOT EXISTS (SELECT 1 FROM sagas s WHERE s.id = l.saga_id)"));
    }

    [Fact]
    public async Task A_young_operation_is_kept()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        var before = await world.CountAsync("SELECT count(*) FROM operations");

        Assert.Equal(0, (await process.Get<OperationRetention>().RunAsync(default)).Changed);

        Assert.Equal(before, await world.CountAsync("SELECT count(*) FROM operations"));
    }

    private static IdempotencyRecord Key(string key, DateTimeOffset expiresAt) => new(
        "token", key, [1], IdempotencyState.InProgress, null, new Dictionary<string, string>(), null, expiresAt.AddHours(-1), expiresAt);

    private static async Task WriteAsync(ServerProcess process, Action<WriteUnit> fill)
    {
        var unit = new WriteUnit();
        fill(unit);
        Assert.Null((await process.Get<BatchingWriter>().CommitAsync(unit, CancellationToken.None)).Fault);
    }

    private static async Task<IEnumerable<string>> SubjectsAsync(ServerProcess process) =>
        (await process.Get<EventStore>().ReadAfterAsync(0, new EventFilter(), 100, CancellationToken.None)).Select(e => e.Subject);
}
