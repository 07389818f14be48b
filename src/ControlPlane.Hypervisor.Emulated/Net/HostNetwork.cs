using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>How a host is plugged into the wires: its NICs' embedded switches and its software bridges. Made when first used.</summary>
/// <param name="wireOf">The wire that a physical function is plugged into; null: nobody says.</param>
/// <param name="settingsOf">What a physical function enforces for a virtual one.</param>
internal sealed class HostNetwork(PciTree tree, Fabric fabric, Func<PciAddress, string?> wireOf, Func<PciAddress, DeviceSettings> settingsOf) : ICounting
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
        {
            sheet.Add("embedded-switch", "spoofed-frames", inside.SpoofedFrames);
            sheet.Add("embedded-switch", "unfiltered-frames", inside.UnfilteredFrames);
        }
    }

    public EmbeddedSwitch SwitchOf(EmulatedFunction function)
    {
        var physical = (function.PhysicalFunction ?? function).Address;
        if (!embedded.TryGetValue(physical, out var inside))
        {
            var wire = fabric.Wire(WireOf(function));
            embedded[physical] = inside = new EmbeddedSwitch(wire, f => settingsOf(f.Address));
            wire.Connect(inside);
        }
        return inside;
    }

    public SoftwareBridge BridgeOn(WireSwitch wire)
    {
        if (!bridges.TryGetValue(wire, out var bridge))
        {
            bridges[wire] = bridge = new SoftwareBridge(wire);
            wire.Connect(bridge);
        }
        return bridge;
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
