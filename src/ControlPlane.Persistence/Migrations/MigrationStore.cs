using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Migrations;

/// <summary>Which migrations a list shows; null fields filter nothing.</summary>
/// <param name="Host">As source or as target.</param>
public sealed record MigrationFilter(ProjectId? Project = null, VmId? Vm = null, HostId? Host = null, MigrationState? State = null);

/// <summary>Migrations of VMs. A second one of a VM that is under way is refused with <c>migration-active</c>.</summary>
public sealed class MigrationStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    private static readonly RowShape UpdateUnderShape = new(
        "vm_migrations",
        """
        UPDATE vm_migrations t SET
          target_id = u.target, state = u.state, devices = u.devices, transfer = u.transfer, failure = u.failure, ended_at = u.ended_at,
          generation = t.generation + 1
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS u(id, holder, target, state, devices, transfer, failure, ended_at)
        WHERE t.id = u.id AND t.operation_id = u.holder
        """,
        [
            ColumnType.Uuid, ColumnType.Uuid, ColumnType.Uuid, ColumnType.Text, ColumnType.Jsonb, ColumnType.Jsonb, ColumnType.Text,
            ColumnType.Timestamp,
        ],
        RowsWanted.One, WriteFaults.ChangedMeanwhile);

    public Task<Migration?> FindAsync(MigrationId id, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Set<Migration>().FirstOrDefaultAsync(m => m.Id == id, ct), ct);

    /// <summary>The one under way; null: none.</summary>
    public Task<Migration?> FindActiveAsync(VmId vm, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Set<Migration>().FirstOrDefaultAsync(m => m.Vm == vm && m.EndedAt == null, ct), ct);

    /// <summary>Sorts: <c>createdAt</c>.</summary>
    public Task<Outcome<Page<Migration>>> ListAsync(MigrationFilter filter, PageRequest page, CancellationToken ct) =>
        new ListQuery<Migration>("vm_migrations", SortOrder<Migration>.ByCreation(m => m.Id.Value))
            .WhereIf("t.project_id = {0}", filter.Project?.Value)
            .WhereIf("t.vm_id = {0}", filter.Vm?.Value)
            .WhereIf("{0} IN (t.source_id, t.target_id)", filter.Host?.Value)
            .WhereIf("t.state = {0}", filter.State is { } state ? KebabEnum<MigrationState>.Write(state) : null)
            .ReadAsync(contexts, page, ct);

    public void Insert(WriteUnit unit, Migration migration) => TableShapes<Migration>.Insert(unit, migration);

    public void Update(WriteUnit unit, Migration migration, Generation expected) => TableShapes<Migration>.Update(unit, migration, expected);

    /// <summary>The newest that have succeeded: what an estimate looks back on.</summary>
    public Task<IReadOnlyList<Migration>> HistoryAsync(int limit, CancellationToken ct) => contexts.ReadAsync<IReadOnlyList<Migration>>(
        async db => await db.Set<Migration>().Where(m => m.State == MigrationState.Succeeded).OrderByDescending(m => m.Id).Take(limit).ToListAsync(ct), ct);

    /// <summary>Replaces the row by the saga that carries the migration out, its only writer; the generation grows by one.</summary>
    public void UpdateUnder(WriteUnit unit, Migration migration) => unit.Add(
        UpdateUnderShape, migration.Id.Value, migration.Operation.Value, migration.Target?.Value, KebabEnum<MigrationState>.Write(migration.State),
        StoredJson.Write(migration.Devices), StoredJson.Write(migration.Transfer), migration.Failure, migration.EndedAt?.ToUniversalTime());
}
