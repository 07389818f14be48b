using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling;

namespace ControlPlane.Orchestration.PciDevices;

/// <summary>Moves devices through their ownership: legal by the table, compare-and-set in the database, known to placement after the commit.</summary>
public sealed class DeviceRecords(DeviceStore devices, FleetSnapshot fleet, Announcements announcements)
{
    /// <summary>
    /// The device as it will be after the commands, which are one compare-and-set. An illegal move is a bug of the caller, who has just
    /// read the row: it throws.
    /// </summary>
    public PciDevice Move(WriteUnit unit, PciDevice device, params ReadOnlySpan<DeviceCommand> commands) => Move(unit, device, null, commands);

    /// <param name="binding">What the host has just done to the function's driver; null: nothing.</param>
    public PciDevice Move(WriteUnit unit, PciDevice device, DriverBinding? binding, params ReadOnlySpan<DeviceCommand> commands)
    {
        var next = device.Ownership;
        foreach (var command in commands)
        {
            if (!next.Apply(command).TryGet(out var applied, out var fault))
                throw new InvalidOperationException($"{device.Host} {device.Address}: {fault.Detail}");
            next = applied;
        }
        if (next == device.Ownership)
            return device;
        devices.Move(unit, device.Host, device.Address, device.Ownership, next, binding);
        announcements.DeviceMoved(unit, device, next);
        unit.OnCommitted(() => fleet.SetOwnership(device.Host, device.Address, next));
        if (binding is not null)
            unit.OnCommitted(() => fleet.SetDriver(device.Host, device.Address, binding.Driver));
        return device with { Ownership = next, Facts = binding is null ? device.Facts : device.Facts with { Driver = binding.Driver } };
    }

    /// <summary>Gives functions that were withheld from placement back to guests.</summary>
    public void GiveBack(WriteUnit unit, HostId host, IReadOnlyList<DeviceClaim> withheld)
    {
        foreach (var claim in withheld)
        {
            var taken = new DeviceOwnership(DeviceState.Host, null, claim.Generation);
            var free = taken.Apply(new DeviceCommand.GiveToGuests()).Value;
            devices.Move(unit, host, claim.Address, taken, free);
            unit.OnCommitted(() => fleet.SetOwnership(host, claim.Address, free));
        }
    }
}
