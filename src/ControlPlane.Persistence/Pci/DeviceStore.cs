using System.ComponentModel.DataAnnotations.Schema;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Pci;

/// <summary>PCI functions of all hosts. The row is the ownership: whoever changes it by compare-and-set has the device.</summary>
public sealed class DeviceStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    private static readonly RowShape Vanish = new(
        "pci_devices",
        """
        UPDATE pci_devices t SET present = false FROM unnest($1, $2) AS u(host, address)
        WHERE t.host_id = u.host AND t.address = u.address AND t.present
        """,
        [ColumnType.Uuid, ColumnType.Bigint], RowsWanted.Any, WriteFaults.ChangedMeanwhile)
    {
        KeyColumns = 2,
    };

    private static readonly RowShape ForgetUnowned = new(
        "pci_devices", "DELETE FROM pci_devices t USING unnest($1) AS u(host) WHERE t.host_id = u.host AND t.owner_vm_id IS NULL",
        [ColumnType.Uuid], RowsWanted.Any, WriteFaults.ChangedMeanwhile);

    public Task<PciDevice?> FindAsync(HostId host, PciAddress address, CancellationToken ct) =>
        contexts.ReadAsync(async db => (await Rows(db).FirstOrDefaultAsync(d => d.HostId == host && d.Address == address, ct))?.ToDevice(), ct);

    /// <summary>All rows of the host in topological order, also virtual functions that are switched off.</summary>
    public Task<IReadOnlyList<PciDevice>> ByHostAsync(HostId host, CancellationToken ct) =>
        ReadAsync(rows => rows.Where(d => d.HostId == host).OrderBy(d => d.Address), ct);

    /// <summary>What the VM owns on any host, companions included: during a migration on two.</summary>
    public Task<IReadOnlyList<PciDevice>> ByVmAsync(VmId vm, CancellationToken ct) => ReadAsync(rows => rows.Where(d => d.OwnerVm == vm), ct);

    /// <summary>How many members a pool has on each host, and how many of them can be handed out now. Hosts without any are left out.</summary>
    public async Task<IReadOnlyList<PoolCount>> CountByHostAsync(DevicePool pool, CancellationToken ct)
    {
        var members = new DeviceFilter(Pool: pool).Apply(new ListQuery<PciDeviceRow>("pci_devices"));
        var sql = $"""
            SELECT t.host_id, count(*)::int AS total, (count(*) FILTER (WHERE t.state = 'free' AND t.assignable))::int AS free
            FROM pci_devices t{members.WhereClause} GROUP BY t.host_id
            """;
        var rows = await contexts.ReadAsync(db => db.Database.SqlQueryRaw<PoolCountRow>(sql, [.. members.Arguments]).ToListAsync(ct), ct);
        return [.. rows.Select(r => new PoolCount(new HostId(r.HostId), r.Total, r.Free))];
    }

    /// <summary>By host and address.</summary>
    public async Task<Outcome<Page<PciDevice>>> ListAsync(DeviceFilter filter, PageRequest page, CancellationToken ct)
    {
        var order = new SortOrder<PciDeviceRow>(
            "address", KeyColumn<PciDeviceRow>.Uuid("host_id", d => d.HostId.Value),
            KeyColumn<PciDeviceRow>.Bigint("address", d => PciAddressValueConverter.Pack(d.Address)));
        var rows = await filter.Apply(new ListQuery<PciDeviceRow>("pci_devices", order)).ReadAsync(contexts, page, ct);
        return rows.Map(p => p.Map(r => r.ToDevice()));
    }

    /// <summary>
    /// free -> reserved for the owner, the generation one up. Refused with <c>placement-conflict</c> when the device is not free at the
    /// expected generation, or may not be given out, or when its IOMMU group or its physical function is taken by another.
    /// </summary>
    public void Claim(WriteUnit unit, HostId host, PciAddress address, Generation expected, DeviceOwner owner) => unit.Touch(host).Add(
        DeviceShapes.Claim, host.Value, PciAddressValueConverter.Pack(address), expected.Value, owner.Vm.Value, owner.Name, owner.Companion);

    /// <summary>Writes a move that <see cref="DeviceOwnership.Apply"/> allowed, where the row still is <paramref name="from"/>; else <c>device-changed</c>.</summary>
    /// <param name="binding">The driver that the host has bound to it for this move; null: the one it had.</param>
    public void Move(WriteUnit unit, HostId host, PciAddress address, DeviceOwnership from, DeviceOwnership to, DriverBinding? binding = null)
    {
        if (from != to)
            unit.Touch(host).Add(DeviceShapes.Move, DeviceShapes.MoveValues(host, address, from, to, binding));
    }

    /// <summary>
    /// Sets <see cref="PciDevice.Assignable"/> and <see cref="PciDevice.HostCritical"/>, where the ownership still is what the caller read.
    /// A move that goes with it is added before it, and is then the ownership expected.
    /// </summary>
    public void SetFlags(WriteUnit unit, PciDevice device) => unit.Touch(device.Host).Add(
        DeviceShapes.Flag, device.Host.Value, PciAddressValueConverter.Pack(device.Address),
        KebabEnum<DeviceState>.Write(device.Ownership.State), device.Ownership.Generation.Value, device.Assignable, device.HostCritical);

    /// <summary>
    /// What a scan saw. New functions are inserted as given; of known ones only the facts change, and only where they differ. Ownership
    /// is never touched. A row in <paramref name="vanished"/> stays and is marked as not present, so that its generation never starts again.
    /// </summary>
    public void UpsertFacts(WriteUnit unit, HostId host, IEnumerable<PciDevice> seen, IEnumerable<PciAddress> vanished)
    {
        unit.Touch(host);
        foreach (var row in seen.Select(PciDeviceRow.From))
        {
            if (row.OwnerVm is not null)
                throw new ArgumentException("A scan gives no device to a VM.", nameof(seen));
            unit.Add(
                DeviceShapes.Scan, row.HostId.Value, PciAddressValueConverter.Pack(row.Address), StoredJson.Write(row.Facts),
                KebabEnum<PciKind>.Write(row.Kind), KebabEnum<FunctionKind>.Write(row.Function), row.VendorId, row.DeviceId, row.ClassCode,
                row.NumaNode, row.IommuGroup, row.Family is { } family ? PciAddressValueConverter.Pack(family) : null,
                KebabEnum<DeviceState>.Write(row.State), row.Generation.Value, row.Assignable, row.HostCritical);
        }
        foreach (var address in vanished)
            unit.Add(Vanish, host.Value, PciAddressValueConverter.Pack(address));
    }

    /// <summary>Removes the host's unowned devices; if any is owned, deleting the host is then refused with <c>in-use</c>.</summary>
    public void Forget(WriteUnit unit, HostId host) => unit.Touch(host).Add(ForgetUnowned, host.Value);

    private static DbSet<PciDeviceRow> Rows(ControlPlaneDbContext db) => db.Set<PciDeviceRow>();

    private Task<IReadOnlyList<PciDevice>> ReadAsync(Func<DbSet<PciDeviceRow>, IQueryable<PciDeviceRow>> query, CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<PciDevice>>(
            async db => [.. (await query(Rows(db)).ToListAsync(ct)).Select(r => r.ToDevice())], ct);
}

/// <summary>A pool's members on one host.</summary>
/// <param name="Free">Not owned, and assignable.</param>
public sealed record PoolCount(HostId Host, int Total, int Free);

internal sealed record PoolCountRow(
    [property: Column("host_id")] Guid HostId, [property: Column("total")] int Total, [property: Column("free")] int Free);
