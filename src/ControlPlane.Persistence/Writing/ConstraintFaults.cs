using System.Collections.Frozen;
using ControlPlane.Domain;
using Npgsql;

namespace ControlPlane.Persistence.Writing;

/// <summary>Every constraint that a request can break, by name, and what its caller is told. An unlisted one broken is a bug.</summary>
internal static class ConstraintFaults
{
    private static readonly Fault InUse = Fault.Conflict(WriteFaults.InUseCode, "It is in use: delete or detach what uses it first.");

    private static readonly Fault Gone = Fault.Conflict(WriteFaults.ChangedMeanwhileCode, "Something that it refers to was deleted by another request meanwhile.");

    private static readonly FrozenDictionary<string, Fault> Faults = new Dictionary<string, Fault>
    {
        ["ux_projects_name"] = NameTaken("project"),
        ["ux_hosts_name"] = NameTaken("host"),
        ["ux_networks_name"] = NameTaken("network"),
        ["ux_device_pools_name"] = NameTaken("device pool"),
        ["ux_inventories_name"] = NameTaken("inventory"),
        ["ux_virtual_machines_project_name"] = NameTaken("VM of the project"),
        ["pk_mac_addresses"] = Fault.Conflict(WriteFaults.MacInUseCode, "An interface of another VM has this MAC address."),
        ["ux_vm_migrations_active"] = Fault.Conflict(WriteFaults.MigrationActiveCode, "A migration of the VM is under way."),
        ["ux_host_allocations_hard_spread"] = WriteFaults.PlacementConflict,
        ["pk_host_allocations"] = WriteFaults.PlacementConflict,
        ["pk_saga_log"] = WriteFaults.LeaseLost,
        ["ex_pci_devices_iommu_group"] = WriteFaults.PlacementConflict,
        ["ex_pci_devices_family"] = WriteFaults.PlacementConflict,
        ["ck_pci_devices_host_critical"] = InUse,
        ["ck_host_usage_vcpus"] = WriteFaults.PlacementConflict,
        ["ck_host_usage_memory_mib"] = WriteFaults.PlacementConflict,
        ["ck_host_usage_hugepages_2mib"] = WriteFaults.PlacementConflict,
        ["ck_host_usage_hugepages_1gib"] = WriteFaults.PlacementConflict,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <param name="writtenTable">The table of the statement that failed.</param>
    /// <returns>Null: no request can cause this.</returns>
    public static Fault? Of(PostgresException exception, string? writtenTable) => exception.SqlState switch
    {
        // The constraint belongs to the referring table: a write of that one missed its reference, a write of another is still referred to.
        PostgresErrorCodes.ForeignKeyViolation => exception.TableName == writtenTable ? Gone : InUse,
        PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.CheckViolation or PostgresErrorCodes.ExclusionViolation =>
            Faults.GetValueOrDefault(exception.ConstraintName ?? ""),
        _ => null,
    };

    internal static IEnumerable<string> Names => Faults.Keys;

    private static Fault NameTaken(string noun) => Fault.Conflict(WriteFaults.NameTakenCode, $"Another {noun} has this name.");
}
