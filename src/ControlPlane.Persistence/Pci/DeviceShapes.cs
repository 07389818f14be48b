using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using static ControlPlane.Persistence.Writing.ColumnType;

namespace ControlPlane.Persistence.Pci;

/// <summary>The statements that change who holds a device. Each is a compare-and-set on the row; the exclusion constraints are the referee.</summary>
internal static class DeviceShapes
{
    private const string Table = "pci_devices";
    private static readonly Fault Moved = Fault.Conflict("device-changed", "The device's ownership was changed by another request meanwhile.");

    public static readonly RowShape Claim = new(
        Table,
        """
        UPDATE pci_devices t
        SET state = 'reserved', owner_vm_id = u.vm, owner_name = u.name, owner_companion = u.companion, generation = t.generation + 1
        FROM unnest($1, $2, $3, $4, $5, $6) AS u(host, address, expected, vm, name, companion)
        WHERE t.host_id = u.host AND t.address = u.address AND t.generation = u.expected
          AND t.state = 'free' AND t.assignable AND t.present AND NOT t.host_critical
        """,
        [Uuid, Bigint, Bigint, Uuid, Text, Bool], RowsWanted.One, static _ => WriteFaults.PlacementConflict)
    {
        KeyColumns = 2,
    };

    public static readonly RowShape Move = new(
        Table,
        """
        UPDATE pci_devices t
        SET state = u.state, owner_vm_id = u.vm, owner_name = u.name, owner_companion = u.companion, generation = u.generation,
            quarantine_reason = u.reason,
            facts = CASE WHEN NOT u.rebound THEN t.facts WHEN u.driver IS NULL THEN t.facts - 'driver'
                         ELSE jsonb_set(t.facts, '{driver}', to_jsonb(u.driver)) END
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
          AS u(host, address, from_state, from_vm, from_generation, state, vm, name, companion, generation, reason, rebound, driver)
        WHERE t.host_id = u.host AND t.address = u.address AND t.state = u.from_state AND t.generation = u.from_generation
          AND t.owner_vm_id IS NOT DISTINCT FROM u.from_vm
        """,
        [Uuid, Bigint, Text, Uuid, Bigint, Text, Uuid, Text, Bool, Bigint, Text, Bool, Text], RowsWanted.One, static _ => Moved)
    {
        KeyColumns = 2,
    };

    public static readonly RowShape Flag = new(
        Table,
        """
        UPDATE pci_devices t SET assignable = u.assignable, host_critical = u.critical
        FROM unnest($1, $2, $3, $4, $5, $6) AS u(host, address, state, generation, assignable, critical)
        WHERE t.host_id = u.host AND t.address = u.address AND t.state = u.state AND t.generation = u.generation
        """,
        [Uuid, Bigint, Text, Bigint, Bool, Bool], RowsWanted.One, static _ => Moved)
    {
        KeyColumns = 2,
    };

    /// <summary>
    /// A scan's row: inserted with the ownership given, and from then on only its facts change. While it is owned the group that the claim
    /// was made in stays in its column: the truth of the facts must be recordable even when it contradicts the constraint.
    /// </summary>
    public static readonly RowShape Scan = new(
        Table,
        """
        INSERT INTO pci_devices AS t (
          host_id, address, facts, kind, function, vendor_id, device_id, class_code, numa_node, iommu_group, family, state, generation,
          assignable, host_critical, owner_companion, present)
        SELECT u.*, false, true
        FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
          AS u(host_id, address, facts, kind, function, vendor_id, device_id, class_code, numa_node, iommu_group, family, state, generation,
               assignable, host_critical)
        ON CONFLICT (host_id, address) DO UPDATE
        SET facts = excluded.facts, kind = excluded.kind, function = excluded.function, vendor_id = excluded.vendor_id,
            device_id = excluded.device_id, class_code = excluded.class_code, numa_node = excluded.numa_node, family = excluded.family,
            iommu_group = CASE WHEN t.owner_vm_id IS NULL THEN excluded.iommu_group ELSE t.iommu_group END, present = true
        WHERE NOT t.present OR t.facts <> excluded.facts
          OR (t.owner_vm_id IS NULL AND t.iommu_group IS DISTINCT FROM excluded.iommu_group)
        """,
        [Uuid, Bigint, Jsonb, Text, Text, Integer, Integer, Integer, Integer, Integer, Bigint, Text, Bigint, Bool, Bool],
        RowsWanted.Any, static _ => Moved)
    {
        KeyColumns = 2,
    };

    public static object?[] MoveValues(HostId host, PciAddress address, DeviceOwnership from, DeviceOwnership to, DriverBinding? binding) =>
    [
        host.Value, PciAddressValueConverter.Pack(address), KebabEnum<DeviceState>.Write(from.State), from.Owner?.Vm.Value,
        from.Generation.Value, KebabEnum<DeviceState>.Write(to.State), to.Owner?.Vm.Value, to.Owner?.Name, to.Owner?.Companion ?? false,
        to.Generation.Value, to.QuarantineReason, binding is not null, binding?.Driver,
    ];
}
