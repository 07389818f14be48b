using ControlPlane.Domain.Networks;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>A host's software bridge on one wire: it joins the virtio NICs of its guests with the network.</summary>
internal sealed class SoftwareBridge(WireSwitch wire) : SwitchPort
{
    private readonly Dictionary<(int Vlan, MacAddress Mac), GuestNic> taps = [];

    public void Attach(int? vlan, MacAddress mac, GuestNic nic) => taps[(vlan ?? 0, mac)] = nic;

    public void Detach(int? vlan, MacAddress mac) => taps.Remove((vlan ?? 0, mac));

    public override void Receive(Frame frame)
    {
        if (taps.TryGetValue((frame.Vlan ?? 0, frame.Destination), out var nic))
            nic.Receive(frame);
        else if (frame.Destination.IsMulticast)
            Flood(frame, except: null);
    }

    /// <summary>A guest sends: to a neighbour on the bridge, or out.</summary>
    public void SendFrom(int? vlan, GuestNic sender, Frame frame)
    {
        var tagged = frame with { Vlan = vlan };
        if (taps.TryGetValue((vlan ?? 0, frame.Destination), out var neighbour) && neighbour != sender)
        {
            neighbour.Receive(tagged);
            return;
        }
        if (frame.Destination.IsMulticast)
            Flood(tagged, sender);
        wire.Send(this, tagged);
    }

    private void Flood(Frame frame, GuestNic? except)
    {
        foreach (var ((vlan, _), nic) in taps)
        {
            if (vlan == (frame.Vlan ?? 0) && nic != except)
                nic.Receive(frame);
        }
    }
}
