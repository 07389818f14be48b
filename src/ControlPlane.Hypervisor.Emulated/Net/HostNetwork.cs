using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>How a host is plugged into the wires: its NICs' embedded switches and its software bridges. Made when first used.</summary>
/// <param name="wireOf">The wire that a physical function is plugged into; null: nobody says.</param>
/// <param name="settingsOf">What a physical function enforces for a virtual one.</param>
internal sealed class HostNetwork(
    PciTree tree, Fabric fabric, ModelClock clock, Func<PciAddress, string?> wireOf, Func<PciAddress, DeviceSettings> settingsOf) : ICounting
{
    private readonly Dictionary<PciAddress, EmbeddedSwitch> embedded = [];
    private readonly Dictionary<WireSwitch, SoftwareBridge> bridges = [];

    /// <summary>The wire that a network function is plugged into. Virtual functions share their maker's.</summary>
    public string WireOf(EmulatedFunction function) => wireOf((function.PhysicalFunction ?? function).Address) ?? Fabric.DefaultWire;

    /// <summary>The wire to which the host bridges the virtio interfaces of a network.</summary>
    public WireSwitch WireOf(string network)
    {
        var uplink = tree.Functions.FirstOrDefault(f => f.IsNetwork && f.PhysicalFunction is null);
        return fabric.WireOf(network, uplink is null ? Fabric.DefaultWire : WireOf(uplink));
    }

    public void Learn(string network, EmulatedFunction function) => fabric.Learn(network, WireOf(function));

    public void CountInto(CounterSheet sheet)
    {
        foreach (var inside in embedded.Values)
            inside.CountInto(sheet);
        foreach (var bridge in bridges.Values)
            bridge.CountInto(sheet);
    }

    /// <summary>The embedded switch of a NIC that the host drives itself, that sorts, and that is plugged into a wire; null: there is none.</summary>
    public EmbeddedSwitch? SortingSwitchOn(WireSwitch wire) =>
        tree.Functions.FirstOrDefault(
            f => f.IsNetwork && f.PhysicalFunction is null && f.Driver != EmulatedFunction.VfioDriver && tree.LimitsOf(f).Pools > 0
                && WireOf(f) == wire.Name) is { } physical
            ? SwitchOf(physical)
            : null;

    public EmbeddedSwitch SwitchOf(EmulatedFunction function)
    {
        var physical = function.PhysicalFunction ?? function;
        if (!embedded.TryGetValue(physical.Address, out var inside))
        {
            var wire = fabric.Wire(WireOf(function));
            var sriov = tree.SriovOf(physical.Address);
            embedded[physical.Address] = inside = new EmbeddedSwitch(
                wire, clock, tree.LimitsOf(physical), f => settingsOf(f.Address), () => sriov?.Virtual.Count ?? 0);
            wire.Connect(inside);
        }
        return inside;
    }

    public SoftwareBridge BridgeOn(WireSwitch wire)
    {
        if (!bridges.TryGetValue(wire, out var bridge))
        {
            bridges[wire] = bridge = new SoftwareBridge(wire, clock);
            wire.Connect(bridge);
        }
        return bridge;
    }

    /// <summary>The physical function is taken out of the host, and its switch with it.</summary>
    public void Forget(PciAddress physical)
    {
        if (embedded.Remove(physical, out var inside))
            inside.Wire.Disconnect(inside);
    }

    /// <summary>The host ceases to exist.</summary>
    public void Unplug()
    {
        foreach (var inside in embedded.Values)
            inside.Wire.Disconnect(inside);
        foreach (var (wire, bridge) in bridges)
            wire.Disconnect(bridge);
        embedded.Clear();
        bridges.Clear();
    }
}
