using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory;
using ControlPlane.Inventory.Profiles;
using ControlPlane.Inventory.Reading;
using ControlPlane.Persistence.Inventories;
using ControlPlane.Persistence.Records;

namespace ControlPlane.Server.Hypervisors;

/// <summary>What an emulated host can be made from: the profiles that ship, and the inventories that were uploaded.</summary>
internal sealed class HardwareProfiles(ProfileCatalog catalog, InventoryStore inventories)
{
    private readonly ConcurrentDictionary<string, HostProfile> uploaded = new(StringComparer.Ordinal);

    /// <summary>A shipped profile comes first: an upload cannot take its name's meaning away from hosts that exist.</summary>
    public async ValueTask<HostProfile?> FindAsync(string name, CancellationToken ct)
    {
        if (catalog.Find(name) is { } shipped)
            return shipped;
        if (uploaded.TryGetValue(name, out var known))
            return known;
        if (!DnsLabel.IsValid(name) || await inventories.FindByNameAsync(name, ct) is not { } inventory)
            return null;
        return Read(inventory) is { } profile ? uploaded.GetOrAdd(name, profile) : null;
    }

    private static HostProfile? Read(StoredInventory inventory)
    {
        var source = inventory.Source;
        var read = HostDescriptionReader.Read(
            new InventoryTexts(source.Lspci, source.IommuGroups, source.Lscpu, source.NodeDevices, source.Capabilities));
        return read.Fault is not null
            ? null
            : new HostProfile(
                inventory.Name, "An uploaded inventory.", read.Value, new HashSet<PciAddress>(), new HashSet<PciAddress>(),
                new Dictionary<PciAddress, string>());
    }
}
