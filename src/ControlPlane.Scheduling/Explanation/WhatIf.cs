using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Explanation;

/// <summary>
/// One host and one request on which changes are tried. The host is changed in place in a fork of the fleet that nobody else sees, and
/// put back by <see cref="Reset"/>: a block is copied by the first write after it was saved, so that putting back is putting back a reference.
/// </summary>
internal sealed class WhatIf
{
    private readonly State original;

    /// <param name="fleet">A fork of its own.</param>
    public WhatIf(FleetState fleet, int host, CompiledRequest request)
    {
        Fleet = fleet;
        Host = host;
        Request = request;
        original = Save();
    }

    public FleetState Fleet { get; }

    public int Host { get; }

    public CompiledRequest Request { get; private set; }

    public DeviceTable Devices => Fleet.Blocks[Host]!.Devices;

    public void Reset() => Restore(original);

    /// <summary>What to go back to. Costs nothing: the next write copies the block.</summary>
    public State Save()
    {
        Fleet.Freeze(Host);
        return new State(Fleet.Blocks[Host]!, Fleet.Free[Host], Fleet.Accepts[Host], Request);
    }

    public void Restore(State state)
    {
        Fleet.Restore(Host, state.Block);
        Fleet.Free[Host] = state.Free;
        Fleet.Accepts[Host] = state.Accepts;
        Request = state.Request;
    }

    public void Apply(IEnumerable<FleetChange> changes)
    {
        foreach (var change in changes)
            Apply(change);
    }

    public void Apply(FleetChange change)
    {
        var asked = Request.Request;
        switch (change)
        {
            case ActivateHost:
                Fleet.Own(Host).Host = Fleet.Blocks[Host]!.Host with { State = HostState.Up, Cordoned = false };
                Fleet.Accepts[Host] = true;
                break;
            case ReleaseDevice c:
                SetFree(c.Address);
                break;
            case ReleaseQuarantine c:
                SetFree(c.Address);
                break;
            case SetAssignable c:
                GiveToGuests(c.Address);
                break;
            case SetVirtualFunctionCount c:
                Fleet.UpsertDevices(Host, VirtualFunctions.ToReach(Fleet, Host, c.PhysicalFunction, c.Count));
                Request = new CompiledRequest(Fleet, asked); // The new functions may be in a set of pools that there was not.
                break;
            case FreeCapacity c:
                Fleet.Free[Host] += c.Share;
                break;
            case ReduceShare c:
                Recompile(asked with { Share = c.To });
                break;
            case RelaxNumaPolicy c:
                Recompile(asked with { NumaPolicy = c.To });
                break;
            case RelaxDeviceSpread:
                Recompile(asked with { DeviceSpread = Domain.VirtualMachines.DeviceSpread.None });
                break;
            case RelaxGroupPolicy c:
                Recompile(asked with { GroupPolicy = c.To });
                break;
            case DropHostSelector c:
                Recompile(asked with { HostSelector = asked.HostSelector.Where(l => l.Key != c.Key).ToDictionary(l => l.Key, l => l.Value) });
                break;
            case AllowHost:
                Recompile(asked with { OnlyHosts = null });
                break;
            default:
                throw new InvalidOperationException($"No way is known to try '{change.GetType().Name}'.");
        }
    }

    private void Recompile(PlacementRequest request) => Request = new CompiledRequest(Fleet, request);

    private void SetFree(PciAddress address) =>
        Change(address, (rows, index) => rows[index].Take(new DeviceOwnership(DeviceState.Free, null, rows[index].Generation)));

    private void GiveToGuests(PciAddress address) => Change(address, (rows, index) =>
    {
        rows[index].Flags |= DeviceFlags.Assignable;
        if (rows[index].State == DeviceState.Host)
            rows[index].State = DeviceState.Free;
    });

    private void Change(PciAddress address, Action<DeviceRow[], int> change)
    {
        var devices = Fleet.Own(Host).Devices;
        devices.Change(devices.Find(address), change);
        Fleet.PublishCounts(Host);
    }

    internal readonly record struct State(HostBlock Block, HostShare Free, bool Accepts, CompiledRequest Request);
}
