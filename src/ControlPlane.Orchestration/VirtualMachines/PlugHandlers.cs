using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Claims;
using ControlPlane.Orchestration.Placements;
using ControlPlane.Orchestration.Projects;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling;
using ControlPlane.Scheduling.Placements;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>
/// Accepts what comes into a VM or leaves it. What comes takes its devices, MAC and quota in the commit that accepts it; what leaves
/// keeps them until it is out.
/// </summary>
public sealed class PlugOperations(
    VmStore vms, UsageStore usage, QuotaExplanation quotas, FleetSnapshot fleet, FleetLoader loader, PlacementRecords placements, OperationStarter starter,
    MutationContext context, Announcements announcements)
{
    private const int Tries = 16;

    /// <param name="change">The spec with the newcomer in it, the newcomer's interface if it is one, and the functions it asks for.</param>
    public async Task<Outcome<Operation>> AttachAsync(
        VmId id, string kind, Func<VirtualMachine, int, Outcome<Newcomer>> change, CancellationToken ct)
    {
        for (var attempt = 0; ; attempt++)
        {
            var vm = await vms.FindAsync(id, ct);
            if (vm is null)
                return Fault.NotFound("vm", id.ToString());
            var accepted = VmOperations.Accept(vm, VmCommand.Reconfigure, starter.NextId(), starter.Now, null);
            if (!accepted.TryGet(out var before, out var fault) || !change(vm, attempt).TryGet(out var newcomer, out fault))
                return fault;
            var started = await TryAttachAsync(vm, before, kind, newcomer, ct);
            if (started.Succeeded || attempt + 1 == Tries || started.Fault.Code is not (WriteFaults.PlacementConflictCode or WriteFaults.MacInUseCode))
                return await quotas.OfAsync(started, vm.Project, Quotas.Difference(before.Spec, newcomer.Spec), ct);
            if (started.Fault.Code == WriteFaults.MacInUseCode && !newcomer.MacWasDrawn)
                return started;
            await loader.RefreshHostAsync(vm.Host!.Value, ct);
        }
    }

    public async Task<Outcome<Operation>> DetachAsync(
        VmId id, string kind, TimeSpan deadline, Generation? expected, Func<VirtualMachine, Outcome<Leaver>> change, CancellationToken ct)
    {
        if (deadline <= TimeSpan.Zero || deadline > StopVirtualMachineHandler.TimeoutMax)
            return Fault.Field(FaultKind.Impossible, "timeoutSeconds", $"must be from 1 to {StopVirtualMachineHandler.TimeoutMax.TotalSeconds:0}.");
        var vm = await vms.FindAsync(id, ct);
        if (vm is null)
            return Fault.NotFound("vm", id.ToString());
        if (RecordedChange.Stale(expected, vm.Generation) is { } stale)
            return stale;
        var accepted = VmOperations.Accept(vm, VmCommand.Reconfigure, starter.NextId(), starter.Now, null);
        if (!accepted.TryGet(out var before, out var fault) || !change(vm).TryGet(out var leaver, out fault))
            return fault;
        var leaving = before.Attachments.Where(a => a.Request == leaver.Name).ToList();
        var after = before with
        {
            Spec = leaver.Spec,
            Interfaces = [.. before.Interfaces.Where(i => i.Name != leaver.Name)],
            Attachments = [.. before.Attachments.Except(leaving)],
        };
        var nic = before.Interfaces.FirstOrDefault(i => i.Name == leaver.Name);
        var unit = new WriteUnit();
        vms.Update(unit, before, vm.Generation);
        announcements.VmChanged(unit, before);
        return await starter.StartAsync(
            unit, before.Operation!.Value, kind, new OperationTarget("vm", id.Value), vm.Project,
            new PlugState(before, after, nic, leaving, deadline), context, ct);
    }

    private async Task<Outcome<Operation>> TryAttachAsync(VirtualMachine vm, VirtualMachine before, string kind, Newcomer newcomer, CancellationToken ct)
    {
        var unit = new WriteUnit();
        IReadOnlyList<DeviceReservation> reserved = [];
        if (newcomer.Demands.Count > 0)
        {
            var placed = fleet.Reserve(PlacementRequest.ForHotPlug(vm.Id, vm.Project, vm.Host!.Value, vm.Spec, newcomer.Demands));
            if (!placed.TryGet(out var placement, out var fault))
                return fault;
            placements.Claim(unit, placement, vm);
            reserved = placement.Devices;
        }
        using var buses = GuestAddresses.Free(vm.Interfaces, vm.Attachments).GetEnumerator();
        var nic = newcomer.Interface?.Invoke(buses);
        var attachments = CreateVirtualMachineHandler.NewAttachments(newcomer.Spec, reserved, buses);
        var after = before with
        {
            Spec = newcomer.Spec,
            Interfaces = nic is null ? before.Interfaces : [.. before.Interfaces, nic],
            Attachments = [.. before.Attachments, .. attachments],
        };
        if (nic is not null)
            usage.AddMac(unit, nic.Mac, vm.Id, nic.Name, nic.Network);
        usage.TakeQuota(unit, vm.Project, Quotas.Difference(before.Spec, after.Spec));
        vms.Update(unit, before, vm.Generation);
        announcements.VmChanged(unit, before);
        return await starter.StartAsync(
            unit, before.Operation!.Value, kind, new OperationTarget("vm", vm.Id.Value), vm.Project,
            new PlugState(before, after, nic, attachments, Domain.Migrations.MigrationRequest.Default.UnplugTimeout), context, ct);
    }
}

/// <param name="Interface">Makes the interface once its place in the guest is known; null for a device request.</param>
public sealed record Newcomer(
    VmSpec Spec, IReadOnlyList<DeviceDemand> Demands, Func<IEnumerator<PciAddress>, VmInterface>? Interface, bool MacWasDrawn);

/// <param name="Spec">Without it.</param>
public sealed record Leaver(string Name, VmSpec Spec);

/// <summary>Gives a VM more devices of a pool, from the host where it is.</summary>
public sealed class AttachDeviceHandler(PlugOperations plugs, VmDraftResolver resolver)
{
    public Task<Outcome<Operation>> HandleAsync(AttachDevice command, CancellationToken ct) =>
        plugs.AttachAsync(command.Vm, AttachDeviceSaga.KindName, (vm, _) => resolver.ResolveDevice(command.Device, vm.TakenNames()).Then<Newcomer>(spec =>
            vm.Attachments.Count + spec.Count > VmSpec.MaxDevices
                ? Fault.Field(FaultKind.Impossible, "count", $"makes {vm.Attachments.Count + spec.Count} devices; a VM has at most {VmSpec.MaxDevices}.")
                : new Newcomer(vm.Spec with { Devices = [.. vm.Spec.Devices, spec] }, [.. PlacementRequest.DemandsOf(spec)], null, false)), ct);
}

/// <summary>Takes a device request out of a VM, all its functions together; the guest must let each go.</summary>
public sealed class DetachDeviceHandler(PlugOperations plugs)
{
    public Task<Outcome<Operation>> HandleAsync(DetachDevice command, CancellationToken ct) =>
        plugs.DetachAsync(command.Vm, DetachDeviceSaga.KindName, command.Timeout, command.Expected, vm => vm.Spec.Devices.Any(d => d.Name == command.Name)
            ? new Leaver(command.Name, vm.Spec with { Devices = [.. vm.Spec.Devices.Where(d => d.Name != command.Name)] })
            : Fault.NotFound("device", command.Name), ct);
}

/// <summary>Adds an interface, with its function where it wants one. Its MAC never was an earlier interface's of the same VM.</summary>
public sealed class AttachInterfaceHandler(PlugOperations plugs, VmDraftResolver resolver, FleetDirectory directory)
{
    public Task<Outcome<Operation>> HandleAsync(AttachInterface command, CancellationToken ct) =>
        plugs.AttachAsync(command.Vm, AttachInterfaceSaga.KindName, (vm, attempt) => resolver.ResolveInterface(command.Interface, vm.TakenNames()).Then<Newcomer>(spec =>
        {
            if (vm.Interfaces.Count >= VmSpec.MaxInterfaces)
                return Fault.Impossible("too-many-interfaces", $"A VM has at most {VmSpec.MaxInterfaces} interfaces.");
            var network = directory.FindNetwork(spec.Network)!;
            // The generation stands in for the index: an interface that came and went must not draw its MAC again.
            var index = VmSpec.MaxInterfaces + (int)(vm.Generation.Value % int.MaxValue / 2);
            return new Newcomer(
                vm.Spec with { Interfaces = [.. vm.Spec.Interfaces, spec] }, spec.WantsVirtualFunction ? [PlacementRequest.DemandOf(spec, network)] : [],
                buses => CreateVirtualMachineHandler.NewInterface(vm.Id, spec, index, attempt, buses), spec.Mac is null);
        }), ct);
}

/// <summary>Takes an interface out of a VM, function first.</summary>
public sealed class DetachInterfaceHandler(PlugOperations plugs)
{
    public Task<Outcome<Operation>> HandleAsync(DetachInterface command, CancellationToken ct) =>
        plugs.DetachAsync(command.Vm, DetachInterfaceSaga.KindName, command.Timeout, command.Expected, vm => vm.Interfaces.Any(i => i.Name == command.Name)
            ? new Leaver(command.Name, vm.Spec with { Interfaces = [.. vm.Spec.Interfaces.Where(i => i.Name != command.Name)] })
            : Fault.NotFound("interface", command.Name), ct);
}

internal static class TakenNameSet
{
    /// <summary>Names that a newcomer may not have.</summary>
    public static IReadOnlyCollection<string> TakenNames(this VirtualMachine vm) =>
        [.. vm.Interfaces.Select(i => i.Name), .. vm.Spec.Devices.Select(d => d.Name), .. vm.Attachments.Select(a => a.Name)];
}
