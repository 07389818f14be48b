using ControlPlane.Domain.Networks;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>Something plugged into a switch.</summary>
internal abstract class SwitchPort
{
    /// <summary>A frame comes out of the switch.</summary>
    public abstract void Receive(Frame frame);
}

/// <summary>
/// The switch behind one physical network. It learns where a MAC is from the frames that come from there (IEEE 802.1Q, 8.7), so that after a
/// guest has moved its traffic goes astray until the guest has sent something from the new place.
/// </summary>
internal sealed class WireSwitch(string name)
{
    /// <summary>As many addresses are learned; then the table is full and frames to others are flooded.</summary>
    private const int MaxAddresses = 262_144;

    private readonly List<SwitchPort> ports = [];
    private readonly Dictionary<(int Vlan, MacAddress Mac), SwitchPort> learned = [];
    private EchoStation? echo;

    public string Name => name;

    /// <summary>Frames that were sent to every port because their destination was not known.</summary>
    public long FloodedFrames { get; private set; }

    /// <summary>From the first call on, there is a station that sends back what it is sent.</summary>
    public void ConnectEchoStation()
    {
        if (echo is null)
            Connect(echo = new EchoStation(this));
    }

    public void Connect(SwitchPort port) => ports.Add(port);

    public void Disconnect(SwitchPort port)
    {
        ports.Remove(port);
        foreach (var (key, at) in learned.ToArray())
        {
            if (at == port)
                learned.Remove(key);
        }
    }

    public void Send(SwitchPort from, Frame frame)
    {
        var vlan = frame.Vlan ?? 0;
        if (!frame.Source.IsMulticast && (learned.Count < MaxAddresses || learned.ContainsKey((vlan, frame.Source))))
            learned[(vlan, frame.Source)] = from;
        if (!frame.Destination.IsMulticast && learned.TryGetValue((vlan, frame.Destination), out var port))
        {
            if (port != from)
                port.Receive(frame);
            return;
        }
        FloodedFrames++;
        foreach (var other in ports)
        {
            if (other != from)
                other.Receive(frame);
        }
    }
}
