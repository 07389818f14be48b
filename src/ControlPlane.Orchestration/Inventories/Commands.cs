using ControlPlane.Persistence.Records;

namespace ControlPlane.Orchestration.Inventories;

/// <summary>Reads the texts and keeps them with what they say; the name is then a profile for emulated hosts.</summary>
public sealed record CreateInventory(string? Name, InventorySource Source);
