using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.Pci;
using ControlPlane.Orchestration.PciDevices;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling;

namespace ControlPlane.Orchestration.Hosts;

/// <summary>Says whether guests may have a device, and whether the host lives on it.</summary>
public sealed class UpdatePciDeviceHandler(
    DeviceStore devices, DeviceRecords records, FleetSnapshot fleet, BatchingWriter writer, MutationContext context)
{
    public async Task<Outcome<PciDevice>> HandleAsync(UpdatePciDevice command, CancellationToken ct)
    {
        var device = await devices.FindAsync(command.Host, command.Address, ct);
        if (device is not { Present: true })
            return Fault.NotFound("pci-device", command.Address.ToString());
        if (command.Expected is { } expected && expected != device.Ownership.Generation)
            return new Fault(FaultKind.Stale, "stale", $"{device.Address} is at generation {device.Ownership.Generation}, not {expected}.");
        var next = device with
        {
            Assignable = command.Assignable ?? (command.HostCritical == true ? false : device.Assignable),
            HostCritical = command.HostCritical ?? device.HostCritical,
        };
        if (Refuse(device, next) is { } fault)
            return fault;
        var unit = new WriteUnit();
        if (next.Assignable && device.Ownership.State == DeviceState.Host)
            next = records.Move(unit, next, new DeviceCommand.GiveToGuests());
        else if (!next.Assignable && device.Ownership.State == DeviceState.Free)
            next = records.Move(unit, next, new DeviceCommand.TakeForHost());
        devices.SetFlags(unit, next);
        context.Attach(unit);
        unit.OnCommitted(() => fleet.UpsertDevices(command.Host, [next]));
        var committed = await writer.CommitAsync(unit, ct);
        return committed.Map(_ => next);
    }

    private static Fault? Refuse(PciDevice device, PciDevice next) =>
        next.Assignable && device.Facts.IsBridge ? Fault.Impossible("bridge", $"{device.Address} is a bridge; only endpoints are given to guests.")
        : next.Assignable && next.HostCritical ? Fault.Impossible("host-critical", $"{device.Address} cannot be assignable and hostCritical at once.")
        : next.Assignable && device.Facts.IommuGroup is null ? Fault.Impossible("no-iommu-group", $"{device.Address} is in no IOMMU group: nothing would keep its DMA inside the guest.")
        : device.Ownership.Owner is not null && (!next.Assignable || next.HostCritical)
            ? Fault.Conflict("device-in-use", $"{device.Address} is owned by VM {device.Ownership.Owner.Vm}; detach it first.")
        : null;
}

/// <summary>Accepts another number of virtual functions: none of those that exist may be owned, and none is given away meanwhile.</summary>
public sealed class SetVirtualFunctionCountHandler(DeviceStore devices, DeviceRecords records, OperationStarter starter, MutationContext context)
{
    public async Task<Outcome<Operation>> HandleAsync(SetVirtualFunctionCount command, CancellationToken ct)
    {
        var all = await devices.ByHostAsync(command.Host, ct);
        var pf = all.FirstOrDefault(d => d.Address == command.Address && d.Present);
        if (pf is null)
            return Fault.NotFound("pci-device", command.Address.ToString());
        if (pf.Facts.Sriov is not { } sriov)
            return Fault.Impossible("no-sriov", $"{command.Address} has no SR-IOV capability.");
        if (command.Count < 0 || command.Count > sriov.TotalVfs)
            return Fault.Field(FaultKind.Impossible, "count", $"must be from 0 to {sriov.TotalVfs}, the total of {command.Address}.");
        if (pf.Ownership.Owner is { } holder)
            return Fault.Conflict("device-in-use", $"{command.Address} itself is owned by VM {holder.Vm}.");
        var functions = all.Where(d => d.Present && d.Facts.PhysicalFunction == command.Address).ToList();
        var unit = new WriteUnit();
        var withheld = new List<DeviceClaim>();
        if (command.Count != sriov.VfCount)
        {
            // Linux goes through zero to another count, so every function that exists vanishes for a moment.
            var owned = functions.Where(d => d.Ownership.Owner is not null).ToList();
            if (owned.Count > 0)
                return Fault.Conflict(
                    "functions-in-use",
                    $"{owned.Count} of the {functions.Count} virtual functions are owned ({string.Join(", ", owned.Take(4).Select(d => d.Address))}): "
                    + "changing their number takes all of them away for a moment. Detach them first.");
            if (functions.FirstOrDefault(d => d.Ownership.State == DeviceState.Cleaning) is { } cleaning)
                return Fault.Conflict("functions-in-use", $"{cleaning.Address} is being cleaned; try again in a moment.");
            foreach (var function in functions.Where(d => d.Ownership.State == DeviceState.Free))
            {
                records.Move(unit, function, new DeviceCommand.TakeForHost());
                withheld.Add(new DeviceClaim(function.Address, function.Ownership.Generation));
            }
        }
        return await starter.StartAsync(
            unit, starter.NextId(), SetVirtualFunctionCountSaga.KindName, new OperationTarget("host", command.Host.Value), null,
            new SetVirtualFunctionCountSaga.State(command.Host, command.Address, sriov.VfCount, command.Count, withheld), context, ct);
    }
}

/// <summary>Lets a quarantined device be cleaned again; the new generation fences whoever may still hold the old one.</summary>
public sealed class ReleaseQuarantineHandler(DeviceStore devices, DeviceRecords records, OperationStarter starter, MutationContext context)
{
    public async Task<Outcome<Operation>> HandleAsync(ReleaseQuarantine command, CancellationToken ct)
    {
        var device = await devices.FindAsync(command.Host, command.Address, ct);
        if (device is not { Present: true })
            return Fault.NotFound("pci-device", command.Address.ToString());
        if (device.Ownership.State != DeviceState.Quarantined)
            return Fault.Conflict("not-quarantined", $"{command.Address} is not quarantined: it is {device.Ownership.State.ToString().ToLowerInvariant()}.");
        var unit = new WriteUnit();
        var cleaning = records.Move(unit, device, new DeviceCommand.ReleaseQuarantine());
        return await starter.StartAsync(
            unit, starter.NextId(), ReleaseQuarantineSaga.KindName, new OperationTarget("host", command.Host.Value), null,
            new ReleaseQuarantineSaga.State(command.Host, command.Address, cleaning.Ownership.Generation), context, ct);
    }
}
