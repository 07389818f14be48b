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
}
