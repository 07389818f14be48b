using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.Claims;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Orchestration.Placements;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Writing;
using ControlPlane.Sagas;
using ControlPlane.Scheduling;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Orchestration.Migrations;

/// <summary>What a migration takes and gives back: capacity and devices of the target before, of the host that was left after.</summary>
public sealed class MigrationTarget(
    FleetSnapshot fleet, FleetDirectory directory, DeviceStore deviceStore, DeviceSteps devices, PlacementRecords placements,
    HostConnections hosts, DomainDefinitions definitions, MigrationRecords records, BatchingWriter writer)
{
    /// <summary>What a step has taken in memory and not committed yet: a step that is called again first gives it back.</summary>
    private readonly ConcurrentDictionary<MigrationId, Placement> tentative = new();

    public async Task<StepOutcome<MigrationProgress>> ReserveAsync(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        var owned = await devices.OwnedAsync(s.Vm.Id, s.Source, ct);
        var request = Request(s.Vm, owned, s.Request.Target);
        if (!request.TryGet(out var wanted, out var fault))
            return fault.ToOutcome<MigrationProgress>();
        if (tentative.TryRemove(s.Record.Id, out var given))
            fleet.Release(given);
        var reserved = fleet.Reserve(wanted);
        if (!reserved.TryGet(out var placement, out fault))
            return fault.ToOutcome<MigrationProgress>();
        tentative[s.Record.Id] = placement;
        var planned = await PlanAsync(s.Vm, s.Request.DeviceMethod, owned, placement, ct);
        if (!planned.TryGet(out var travellers, out fault))
        {
            tentative.TryRemove(s.Record.Id, out _);
            fleet.Release(placement);
            return fault.ToOutcome<MigrationProgress>();
        }
        var next = s with { Target = placement.Host, Devices = travellers };
        var unit = new WriteUnit();
        placements.Claim(unit, placement, s.Vm);
        records.Update(unit, next);
        unit.OnCommitted(() => tentative.TryRemove(s.Record.Id, out _));
        return StepOutcome<MigrationProgress>.Done(next, unit);
    }

    /// <summary>Undo. The host was touched by later steps only, and their undo has brought home what they touched.</summary>
    public async Task<StepOutcome<MigrationProgress>> ReleaseAsync(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        if (tentative.TryRemove(s.Record.Id, out var given))
            fleet.Release(given);
        if (s.Target is not { } target)
            return StepOutcome<MigrationProgress>.Done(s); // Reserving is one commit with its log entry: it did not happen.
        var unit = new WriteUnit();
        devices.ReleaseReserved(unit, s.Vm.Id, await devices.OwnedAsync(s.Vm.Id, target, ct));
        placements.ReleaseAllocation(unit, s.Vm.Id, target);
        return StepOutcome<MigrationProgress>.Done(s with { GuestEnded = await HasEndedAsync(s, ct) }, unit);
    }

    /// <summary>A guest that crashed on the way is not recorded as running until an audit comes by. A silent source is left to the heartbeat.</summary>
    public async Task<bool> HasEndedAsync(MigrationProgress s, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Source, ct);
        if (!opened.TryGet(out var source, out _))
            return false;
        var found = await source.FindDomainAsync(s.Vm.Id, ct);
        return found.TryGet(out var domain, out _) && domain is { State: DomainState.Off };
    }

    /// <summary>
    /// Undo of the preparation. Bears one that half ran: discarding what never listened and cleaning what was never bound change nothing.
    /// The capacity is given back by the undo of the reservation.
    /// </summary>
    public Task<StepOutcome<MigrationProgress>> DiscardAsync(MigrationProgress s, StepContext context, CancellationToken ct) =>
        GoAsync(s, s.Target!.Value, givesCapacityBack: false, context, ct);

    /// <summary>Gives back what the VM held on the host that it is not on: the source, or a target that it never reached.</summary>
    public Task<StepOutcome<MigrationProgress>> LeaveAsync(MigrationProgress s, StepContext context, CancellationToken ct) =>
        GoAsync(s, s.Left, givesCapacityBack: true, context, ct);

    /// <summary>The host forgets the VM, and its devices are proven clean.</summary>
    private async Task<StepOutcome<MigrationProgress>> GoAsync(
        MigrationProgress s, HostId host, bool givesCapacityBack, StepContext context, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(host, ct);
        if (!opened.TryGet(out var hypervisor, out var fault))
            return await LeaveBehindAsync(s, host, fault, context, ct);
        var forgotten = s.Landed == SwitchOverResult.OnTarget
            ? await hypervisor.UndefineAsync(s.Vm.Ref(), DiskFate.Keep, ct)
            : await hypervisor.Migration.DiscardIncomingAsync(s.Vm.Ref(), ct);
        if (forgotten.Fault is { } refused)
            return await LeaveBehindAsync(s, host, refused, context, ct);
        var cleaned = await devices.CleanAllAsync(s.Vm.Id, host, ct);
        if (!cleaned.TryGet(out var unit, out fault))
            return await LeaveBehindAsync(s, host, fault, context, ct);
        if (givesCapacityBack)
            placements.ReleaseAllocation(unit, s.Vm.Id, host);
        return StepOutcome<MigrationProgress>.Done(s, unit);
    }

    /// <summary>
    /// A silent host is tried again, and in the end left as it is: its devices are draining in the VM's name, so nobody else gets them,
    /// until the auditor has reached the host and proven them clean.
    /// </summary>
    private async Task<StepOutcome<MigrationProgress>> LeaveBehindAsync(
        MigrationProgress s, HostId host, Fault fault, StepContext context, CancellationToken ct)
    {
        if (!context.GivesUpOn(fault))
            return fault.ToOutcome<MigrationProgress>();
        var unit = new WriteUnit();
        devices.Drain(unit, s.Vm.Id, await devices.OwnedAsync(s.Vm.Id, host, ct));
        placements.ReleaseAllocation(unit, s.Vm.Id, host);
        return StepOutcome<MigrationProgress>.Done(s, unit);
    }

    /// <summary>
    /// Serves a device's request with another function of the same kind on the host where the guest runs; the one that failed goes home.
    /// </summary>
    /// <returns>The migration with the device replaced, or lost with the reason; a fault only when the host does not answer.</returns>
    public async Task<Outcome<MigrationProgress>> ReplaceAsync(
        MigrationProgress s, Traveller device, IHypervisor home, Fault refused, CancellationToken ct)
    {
        var lost = s.With(device.Name, d => d with { Lost = refused.Detail });
        if (s.Landed != SwitchOverResult.OnTarget)
            return lost;
        var owned = await devices.OwnedAsync(s.Vm.Id, s.Home, ct);
        var failed = owned.Where(d => d.Address == device.On!.Address).ToList();
        var alike = Request(s.Vm, await devices.OwnedAsync(s.Vm.Id, s.Source, ct), s.Home);
        if (!alike.TryGet(out var request, out _))
            return lost;
        var demand = request.Devices.Where(d => d.Name == device.Name).ToList();
        var reserved = fleet.Reserve(PlacementRequest.ForHotPlug(s.Vm.Id, s.Vm.Project, s.Home, s.Vm.Spec, demand));
        if (!reserved.TryGet(out var placement, out _))
            return lost;

        var unit = new WriteUnit();
        placements.Claim(unit, placement, s.Vm);
        if ((await writer.CommitAsync(unit, ct)).Fault is not null)
            return lost;
        var other = device.On! with { Address = placement.Devices[0].Address, Generation = placement.Devices[0].Reserved };
        var next = s.With(device.Name, d => d with { On = other });
        var prepared = await devices.PrepareAsync(s.Vm, s.Home, [other], ct);
        if (!prepared.TryGet(out var attached, out var fault))
            return fault.IsTransient() ? fault : lost;
        var plugged = await home.PlugAsync(s.Vm.Ref(), definitions.Device(s.Vm, other), ct);
        if (plugged.Fault is { } again)
            return again.IsTransient() ? again : lost;
        var cleaned = await devices.CleanAsync(s.Vm.Id, s.Home, failed, ct);
        if (cleaned.TryGet(out var wentHome, out _))
            attached.Include(wentHome);
        var committed = await writer.CommitAsync(attached, ct);
        return committed.Fault is { } unsaid ? unsaid : next;
    }

    /// <summary>What the VM asks of a target: like a create, with a function of the same model for each that it holds.</summary>
    public Outcome<PlacementRequest> Request(VirtualMachine vm, IReadOnlyList<PciDevice> owned, HostId? target)
    {
        var functions = vm.Attachments
            .Join(owned, a => a.Address, d => d.Address, (a, d) => (a.Name, d.Facts))
            .ToDictionary(p => p.Name, p => p.Facts);
        var source = directory.FindHost(vm.Host!.Value);
        return PlacementRequest.ForMigration(vm, directory.NetworksById, functions, source?.Cpu ?? Domain.Hosts.CpuModel.Unknown, target);
    }

    /// <summary>How each device would come along to the placement's host; the first that cannot is the fault.</summary>
    public async Task<Outcome<IReadOnlyList<Traveller>>> PlanAsync(
        VirtualMachine vm, DeviceMethod? wanted, IReadOnlyList<PciDevice> owned, Placement placement, CancellationToken ct)
    {
        var travellers = new List<Traveller>();
        var there = vm.Attachments.Count == 0 ? [] : await deviceStore.ByHostAsync(placement.Host, ct);
        foreach (var attachment in vm.Attachments)
        {
            var here = owned.FirstOrDefault(d => d.Address == attachment.Address);
            var reservation = placement.Devices.FirstOrDefault(r => r.Owner.Name == attachment.Name);
            var on = there.FirstOrDefault(d => d.Address == reservation?.Address);
            if (here is null || reservation is null || on is null)
                return Fault.Conflict("devices-changed", $"Device '{attachment.Name}' changed while the migration was planned; try again.");
            var method = DeviceMethods.Choose(wanted, vm, attachment, here.Facts, on.Facts);
            if (!method.TryGet(out var chosen, out var fault))
                return fault;
            travellers.Add(new Traveller(
                attachment, chosen, attachment with { Address = reservation.Address, Generation = reservation.Reserved, Plugged = chosen == DeviceMethod.Vfio }));
        }
        return travellers;
    }
}
