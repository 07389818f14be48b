using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Claims;
using ControlPlane.Orchestration.Placements;
using ControlPlane.Orchestration.Projects;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>The VM as accepted, and the operation that brings it to life.</summary>
public sealed record AcceptedVm(VirtualMachine Vm, Operation Operation);

/// <summary>
/// Accepts a VM: decides where it goes, takes what it needs, and starts its saga, all in one commit. Two that race for the last device
/// are told apart by the database; the loser decides again, and is answered with the explanation when nothing is left.
/// </summary>
public sealed class CreateVirtualMachineHandler(
    VmDraftResolver resolver, FleetDirectory directory, FleetSnapshot fleet, FleetLoader loader, PlacementRecords placements, VmStore vms,
    UsageStore usage, QuotaExplanation quotas, OperationStarter starter, IIdSource ids, MutationContext context, Announcements announcements)
{
    /// <summary>Tries at a placement, and at drawing a MAC that nobody has.</summary>
    private const int Tries = 16;

    public async Task<Outcome<AcceptedVm>> HandleAsync(VmDraft draft, CancellationToken ct)
    {
        var resolved = resolver.Resolve(draft);
        if (!resolved.TryGet(out var spec, out var fault))
            return fault;
        var id = new VmId(ids.Next());
        for (var attempt = 0; ; attempt++)
        {
            var placed = PlacementRequest.ForCreate(id, draft.Project, spec, directory.NetworksById).Then(fleet.Reserve);
            if (!placed.TryGet(out var placement, out fault))
                return fault;
            var accepted = await AcceptAsync(draft, id, spec, placement, attempt, ct);
            if (accepted.Succeeded || attempt + 1 == Tries || !IsWorthAnotherTry(accepted.Fault, spec))
                return accepted.Fault?.Code == WriteFaults.PlacementConflictCode
                    ? NoPlacement(accepted.Fault)
                    : await quotas.OfAsync(accepted, draft.Project, Quotas.Of(spec), ct);
            if (accepted.Fault.Code == WriteFaults.PlacementConflictCode)
                await loader.RefreshHostAsync(placement.Host, ct);
        }
    }

    private Task<Outcome<AcceptedVm>> AcceptAsync(VmDraft draft, VmId id, VmSpec spec, Placement placement, int attempt, CancellationToken ct)
    {
        var operation = starter.NextId();
        var vm = NewVm(draft.Name!, draft.Project, id, spec, placement, operation, attempt);
        var unit = new WriteUnit();
        vms.Insert(unit, vm);
        placements.Claim(unit, placement, vm);
        foreach (var nic in vm.Interfaces)
            usage.AddMac(unit, nic.Mac, id, nic.Name, nic.Network);
        usage.TakeQuota(unit, vm.Project, Quotas.Of(spec));
        announcements.VmChanged(unit, vm);
        return StartAsync(unit, operation, vm, draft.Start, ct);
    }

    private async Task<Outcome<AcceptedVm>> StartAsync(WriteUnit unit, OperationId operation, VirtualMachine vm, bool start, CancellationToken ct)
    {
        var started = await starter.StartAsync(
            unit, operation, CreateVirtualMachineSaga.KindName, new OperationTarget("vm", vm.Id.Value), vm.Project,
            new CreateVirtualMachineSaga.State(vm, start), context, ct);
        return started.Map(accepted => new AcceptedVm(vm, accepted));
    }

    private VirtualMachine NewVm(string name, ProjectId project, VmId id, VmSpec spec, Placement placement, OperationId operation, int attempt)
    {
        using var buses = GuestAddresses.Free([], []).GetEnumerator();
        var interfaces = spec.Interfaces.Select((nic, index) => NewInterface(id, nic, index, attempt, buses)).ToList();
        var attachments = NewAttachments(spec, placement.Devices, buses);
        var now = starter.Now;
        return new VirtualMachine(
            id, name, project, spec, VmState.Pending, placement.Host, interfaces, attachments, [], operation, new Generation(1), now, now);
    }

    internal static VmInterface NewInterface(VmId vm, InterfaceSpec nic, int index, int attempt, IEnumerator<PciAddress> buses) => new(
        nic.Name, nic.Network, nic.Attach, nic.Mac ?? MacAddress.Derive(vm.Value, index, attempt),
        nic.Attach == AttachKind.Vf ? null : Next(buses), LinkUp: nic.Attach != AttachKind.Failover);

    /// <summary>Which request each device serves is told by its name; a request for several counts them.</summary>
    internal static List<DeviceAttachment> NewAttachments(VmSpec spec, IReadOnlyList<DeviceReservation> devices, IEnumerator<PciAddress> buses)
    {
        var requests = spec.Interfaces.Select(i => (i.Name, Request: i.Name))
            .Concat(spec.Devices.SelectMany(d => PlacementRequest.DemandsOf(d).Select(demand => (demand.Name, Request: d.Name))))
            .ToDictionary(p => p.Name, p => p.Request, StringComparer.Ordinal);
        return [.. devices.Select(d => new DeviceAttachment(d.Owner.Name, requests[d.Owner.Name], d.Address, Next(buses), d.Reserved, Plugged: false))];
    }

    internal static PciAddress Next(IEnumerator<PciAddress> buses) =>
        buses.MoveNext() ? buses.Current : throw new InvalidOperationException($"A guest has {GuestAddresses.MaxPorts} ports; the limits of a spec keep below that.");

    /// <summary>Only what was drawn by us may be drawn again: a MAC that the caller named is the caller's to change.</summary>
    private static bool IsWorthAnotherTry(Fault fault, VmSpec spec) =>
        fault.Code == WriteFaults.PlacementConflictCode
        || (fault.Code == WriteFaults.MacInUseCode && spec.Interfaces.Any(i => i.Mac is null));

    private static Fault NoPlacement(Fault conflict) =>
        new(FaultKind.NoPlacement, "no-placement", $"Others took every placement that was tried: {conflict.Detail}");
}
