using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;

namespace ControlPlane.Persistence.Records;

/// <summary>The texts of an uploaded inventory, as the tools printed them.</summary>
public sealed record InventorySource(
    string? Lspci, string? IommuGroups, string? Lscpu, IReadOnlyList<string> NodeDevices, string? Capabilities);

/// <param name="Source">The text that it is about.</param>
/// <param name="Line">From 1; null when it is about no line.</param>
public sealed record InventoryNote(string Source, int? Line, string Message);

/// <summary>An uploaded inventory: the texts, and what they were understood to say.</summary>
public sealed record StoredInventory(
    InventoryId Id, string Name, InventorySource Source, HostInventory Parsed, IReadOnlyList<InventoryNote> Warnings, DateTimeOffset CreatedAt);

/// <summary>An uploaded inventory without its texts, for lists.</summary>
public sealed record InventorySummary(InventoryId Id, string Name, int DeviceCount, int WarningCount, DateTimeOffset CreatedAt);

internal sealed record InventoryRow(
    InventoryId Id, string Name, InventorySource Source, HostInventory Parsed, IReadOnlyList<InventoryNote> Warnings, int DeviceCount,
    int WarningCount, DateTimeOffset CreatedAt);
