using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling;

namespace ControlPlane.Orchestration.Hosts;

/// <summary>Writes what is learned of a host: its inventory, its sign of life, its silence.</summary>
public sealed class HostRecords(
    HostConnections connections, HostStore hosts, DeviceStore devices, UsageStore usage, FleetDirectory directory, FleetSnapshot fleet, DeviceDefaults defaults,
    Announcements announcements)
{
    /// <summary>
    /// Asks the host for its inventory and records the answer: its capacity and every function that it shows, and the state that it goes
    /// to. What a scan no longer shows is marked absent; who owns what, a scan never changes. The changes are a compare-and-set on the host
    /// as it was before it was asked: when they are refused, scan again.
    /// </summary>
    /// <returns>What is to be committed; a fault when the host does not answer.</returns>
    public async Task<Outcome<WriteUnit>> ScanAsync(HostId id, DateTimeOffset at, CancellationToken ct) =>
        (await ScanAsync(id, onlyNews: false, at, ct)).Map(unit => unit ?? new WriteUnit());

    /// <summary>The same for those who scan again and again: null when the host shows what is known of it.</summary>
    public Task<Outcome<WriteUnit?>> ScanForNewsAsync(HostId id, DateTimeOffset at, CancellationToken ct) => ScanAsync(id, onlyNews: true, at, ct);

    private async Task<Outcome<WriteUnit?>> ScanAsync(HostId id, bool onlyNews, DateTimeOffset at, CancellationToken ct)
    {
        var host = await hosts.FindAsync(id, ct);
        if (host is null)
            return (WriteUnit?)null;
        var opened = await connections.OpenAsync(id, ct);
        if (!opened.TryGet(out var hypervisor, out var fault))
            return fault;
        var read = await hypervisor.ReadInventoryAsync(ct);
        if (!read.TryGet(out var inventory, out fault))
            return fault;
        var known = (await devices.ByHostAsync(id, ct)).ToDictionary(d => d.Address);
        return onlyNews && !IsNew(host, inventory, known) ? (WriteUnit?)null : Scanned(host, inventory, known, at);
    }

    private WriteUnit Scanned(Host host, HostInventory inventory, Dictionary<PciAddress, PciDevice> known, DateTimeOffset at)
    {
        var unit = new WriteUnit();
        var id = host.Id;
        var answered = Answered(host) with { Capacity = inventory.Capacity, Cpu = inventory.Cpu, LastSeenAt = at };
        Write(unit, host, answered, at);
        usage.SetSellable(unit, id, HostShare.SellableOf(inventory.Capacity, host.CpuRatio, host.MemoryRatio));

        var seen = inventory.Functions.Select(f => known.TryGetValue(f.Address, out var old)
            ? old with { Facts = f, Present = true }
            : defaults.NewDevice(host, f)).ToList();
        var present = seen.Select(d => d.Address).ToHashSet();
        var vanished = known.Values.Where(d => d.Present && !present.Contains(d.Address)).Select(d => d with { Present = false }).ToList();
        devices.UpsertFacts(unit, id, seen.Select(Unowned), vanished.Select(d => d.Address));
        unit.OnCommitted(() => fleet.UpsertDevices(id, [.. seen, .. vanished]));
        return unit;
    }

    /// <summary>The host takes VMs again. Unconditional: it has just answered.</summary>
    public void Activate(WriteUnit unit, HostId id, DateTimeOffset at)
    {
        if (directory.FindHost(id) is not { } host)
            return;
        hosts.Activate(unit, id, at);
        Follow(unit, host with { State = HostState.Up, StateReason = null, Cordoned = false, UpdatedAt = at, Generation = host.Generation.Next() });
    }

    /// <summary>The host did not answer. Unconditional: whoever notices says so.</summary>
    public void Silent(WriteUnit unit, HostId id, string reason, DateTimeOffset at)
    {
        if (directory.FindHost(id) is not { } host || !host.State.Apply(HostCommand.Lost).TryGet(out var state, out _))
            return;
        var next = host with { State = state, StateReason = reason, UpdatedAt = at, Generation = host.Generation.Next() };
        hosts.SetState(unit, id, state, reason, at);
        Follow(unit, next);
    }

    /// <summary>A host's new record by compare-and-set; directory and placement follow the commit.</summary>
    public Host Write(WriteUnit unit, Host before, Host after, DateTimeOffset at)
    {
        var next = after with { Generation = before.Generation.Next(), UpdatedAt = at };
        hosts.Update(unit, next, before.Generation);
        Follow(unit, next);
        return next;
    }

    /// <summary>Directory and placement learn of the host once the unit is committed.</summary>
    public void Follow(WriteUnit unit, Host next)
    {
        announcements.HostChanged(unit, next);
        unit.OnCommitted(() =>
        {
            directory.Set(next);
            fleet.UpsertHost(next);
        });
    }

    /// <summary>A record of a scan changes the host's generation and is told to all who watch: not for nothing.</summary>
    private static bool IsNew(Host host, HostInventory inventory, Dictionary<PciAddress, PciDevice> known) =>
        host.State is HostState.Connecting or HostState.Down || !Same(host.Capacity, inventory.Capacity) || !Same(host.Cpu, inventory.Cpu)
        || known.Values.Count(d => d.Present) != inventory.Functions.Count
        || inventory.Functions.Any(f => !known.TryGetValue(f.Address, out var device) || !device.Present || !Same(device.Facts, f));

    /// <summary>As stored: records with lists in them are not equal by their contents.</summary>
    private static bool Same<T>(T left, T right) => StoredJson.Write(left) == StoredJson.Write(right);

    private static Host Answered(Host host) => host.State.Apply(HostCommand.Connected, host.Cordoned).Match(
        state => host with { State = state, StateReason = state == host.State ? host.StateReason : null }, _ => host);

    /// <summary>Only a row that is new takes an ownership from a scan; that of a known one is whatever it is.</summary>
    private static PciDevice Unowned(PciDevice device) => device.Ownership.Owner is null ? device : device with { Ownership = DeviceOwnership.Unowned };
}
