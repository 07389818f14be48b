using ControlPlane.Domain;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Inventories;

/// <summary>Uploaded inventories. They are never changed.</summary>
public sealed class InventoryStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    public Task<StoredInventory?> FindAsync(InventoryId id, CancellationToken ct) =>
        contexts.ReadAsync(async db => Record(await db.Set<InventoryRow>().FirstOrDefaultAsync(i => i.Id == id, ct)), ct);

    public Task<StoredInventory?> FindByNameAsync(string name, CancellationToken ct) =>
        contexts.ReadAsync(async db => Record(await db.Set<InventoryRow>().FirstOrDefaultAsync(i => i.Name == name, ct)), ct);

    /// <summary>Without the texts and what they say, which may be megabytes each. Sorts: <c>createdAt</c>, <c>name</c>.</summary>
    public async Task<Outcome<Page<InventorySummary>>> ListAsync(string? name, PageRequest page, CancellationToken ct)
    {
        // Entity Framework wants every column of the row; the heavy ones come back empty.
        const string light = """
            (SELECT id, name, '{"nodeDevices":[]}'::jsonb AS source,
                    '{"capacity":{"cells":[]},"cpu":{"vendor":"","name":"","features":[]},"functions":[]}'::jsonb AS parsed, '[]'::jsonb AS warnings,
                    device_count, warning_count, created_at FROM inventories)
            """;
        var rows = await new ListQuery<InventoryRow>(
            light.Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal),
            SortOrder<InventoryRow>.ByCreation(i => i.Id.Value), SortOrder<InventoryRow>.ByName(i => i.Name, i => i.Id.Value))
            .WhereIf("t.name = {0}", name)
            .ReadAsync(contexts, page, ct);
        return rows.Map(p => p.Map(r => new InventorySummary(r.Id, r.Name, r.DeviceCount, r.WarningCount, r.CreatedAt)));
    }

    public void Insert(WriteUnit unit, StoredInventory inventory) => TableShapes<InventoryRow>.Insert(
        unit,
        new InventoryRow(
            inventory.Id, inventory.Name, inventory.Source, inventory.Parsed, inventory.Warnings, inventory.Parsed.Functions.Count,
            inventory.Warnings.Count, inventory.CreatedAt));

    private static StoredInventory? Record(InventoryRow? row) =>
        row is null ? null : new StoredInventory(row.Id, row.Name, row.Source, row.Parsed, row.Warnings, row.CreatedAt);
}
