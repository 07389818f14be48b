using ControlPlane.Domain;
using ControlPlane.Inventory;
using ControlPlane.Inventory.Reading;
using ControlPlane.Persistence.Inventories;
using ControlPlane.Persistence.Records;

namespace ControlPlane.Orchestration.Inventories;

/// <summary>
/// Reads the texts and keeps them with what they were understood to say. What is not understood becomes a warning; only texts without a
/// single function are refused.
/// </summary>
public sealed class CreateInventoryHandler(InventoryStore inventories, RecordedChange change, IIdSource ids, TimeProvider clock)
{
    public async Task<Outcome<StoredInventory>> HandleAsync(CreateInventory command, CancellationToken ct)
    {
        var errors = new FieldErrors();
        errors.Label("name", command.Name);
        if (errors.Any)
            return errors.ToFault();
        var source = command.Source;
        var texts = new InventoryTexts(source.Lspci, source.IommuGroups, source.Lscpu, source.NodeDevices, source.Capabilities);
        if (!HostDescriptionReader.Read(texts).TryGet(out var description, out var unreadable))
            return unreadable;

        var inventory = new StoredInventory(
            InventoryId.From(ids.Next()), command.Name!, source, description.Inventory,
            [.. description.Warnings.Select(w => new InventoryNote(w.Source, w.Line, w.Message))], clock.GetUtcNow());
        return await change.CommitAsync(
            inventory, unit => inventories.Insert(unit, inventory),
            RecordedEvent.Of("inventory", "created", "inventories", inventory.Id.Value, inventory.Name), ct);
    }
}
