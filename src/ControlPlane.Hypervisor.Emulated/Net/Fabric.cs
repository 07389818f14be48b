namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>The wires between the hosts of a fleet, by the names of their physical networks.</summary>
internal sealed class Fabric
{
    /// <summary>The wire of every port of which nobody says otherwise.</summary>
    public const string DefaultWire = "default";

    private readonly Dictionary<string, WireSwitch> wires = [];
    private readonly Dictionary<string, string> wireByNetwork = [];

    public WireSwitch Wire(string name)
    {
        if (!wires.TryGetValue(name, out var wire))
            wires[name] = wire = new WireSwitch(name);
        return wire;
    }

    /// <summary>A virtual function of this wire was made to serve that network: the network's virtio side is bridged to the same wire.</summary>
    public void Learn(string network, string wire) => wireByNetwork.TryAdd(network, wire);

    /// <summary>The wire that a network's virtio interfaces are bridged to.</summary>
    public WireSwitch WireOf(string network, string otherwise) => Wire(wireByNetwork.GetValueOrDefault(network, otherwise));
}
