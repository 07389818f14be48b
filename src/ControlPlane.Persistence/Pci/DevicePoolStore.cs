using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Pci;

/// <summary>Which pools a list shows; null fields filter nothing.</summary>
public sealed record DevicePoolFilter(string? Name = null, PoolKind? Kind = null);

/// <summary>Pools. One that a VM holds devices of cannot be deleted (<c>in-use</c>).</summary>
public sealed class DevicePoolStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    private static readonly RowShape ForgetUsage = new(
        "project_device_usage", "DELETE FROM project_device_usage t USING unnest($1) AS u(id) WHERE t.pool_id = u.id AND t.devices = 0",
        [ColumnType.Uuid], RowsWanted.Any, WriteFaults.ChangedMeanwhile);

    public Task<DevicePool?> FindAsync(PoolId id, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Set<DevicePool>().FirstOrDefaultAsync(p => p.Id == id, ct), ct);

    public Task<DevicePool?> FindByNameAsync(string name, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Set<DevicePool>().FirstOrDefaultAsync(p => p.Name == name, ct), ct);

    public Task<IReadOnlyList<DevicePool>> AllAsync(CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<DevicePool>>(async db => await db.Set<DevicePool>().ToListAsync(ct), ct);

    /// <summary>Sorts: <c>createdAt</c>, <c>name</c>.</summary>
    public Task<Outcome<Page<DevicePool>>> ListAsync(DevicePoolFilter filter, PageRequest page, CancellationToken ct) =>
        new ListQuery<DevicePool>(
            "device_pools", SortOrder<DevicePool>.ByCreation(p => p.Id.Value), SortOrder<DevicePool>.ByName(p => p.Name, p => p.Id.Value))
            .WhereIf("t.name = {0}", filter.Name)
            .WhereIf("t.kind = {0}", filter.Kind is { } kind ? KebabEnum<PoolKind>.Write(kind) : null)
            .ReadAsync(contexts, page, ct);

    public void Insert(WriteUnit unit, DevicePool pool) => TableShapes<DevicePool>.Insert(unit.TouchDirectory(), pool);

    public void Update(WriteUnit unit, DevicePool pool, Generation expected) => TableShapes<DevicePool>.Update(unit.TouchDirectory(), pool, expected);

    public void Delete(WriteUnit unit, PoolId id, Generation expected)
    {
        unit.Add(ForgetUsage, id.Value);
        TableShapes<DevicePool>.Delete(unit.TouchDirectory(), id.Value, expected);
    }
}
