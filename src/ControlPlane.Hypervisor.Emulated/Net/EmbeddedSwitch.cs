using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>
/// The switch inside an SR-IOV NIC: it gives a frame to the virtual function whose MAC and VLAN the physical function's driver has set, and
/// keeps a virtual function from sending under another address than its own.
/// </summary>
/// <param name="settingsOf">What the physical function enforces for a virtual one.</param>
internal sealed class EmbeddedSwitch(WireSwitch wire, Func<EmulatedFunction, DeviceSettings> settingsOf) : SwitchPort
{
    private readonly Dictionary<EmulatedFunction, GuestNic> nics = [];

    public WireSwitch Wire => wire;

    /// <summary>Frames that a virtual function sent under an address that is not its own.</summary>
    public long SpoofedFrames { get; private set; }

    /// <summary>Frames for which no virtual function has a filter.</summary>
    public long UnfilteredFrames { get; private set; }

    public void Attach(EmulatedFunction function, GuestNic nic) => nics[function] = nic;

    public void Detach(EmulatedFunction function) => nics.Remove(function);

    public override void Receive(Frame frame)
    {
        if (!DeliverLocally(frame, except: null))
            UnfilteredFrames++;
    }

    /// <summary>A virtual function sends: checked, tagged, and handed to a neighbour or to the wire.</summary>
    public void SendFrom(EmulatedFunction function, Frame frame)
    {
        var settings = settingsOf(function);
        if (settings.SpoofCheck && settings.Mac is { } own && frame.Source != own)
        {
            SpoofedFrames++;
            return;
        }
        var tagged = frame with { Vlan = settings.Vlan };
        if (!DeliverLocally(tagged, function) || tagged.Destination.IsMulticast)
            wire.Send(this, tagged);
    }

    private bool DeliverLocally(Frame frame, EmulatedFunction? except)
    {
        var delivered = false;
        foreach (var (function, nic) in nics)
        {
            var settings = settingsOf(function);
            if (function == except || settings.Mac is not { } mac || settings.Vlan != frame.Vlan)
                continue;
            if (frame.Destination != mac && !frame.Destination.IsMulticast)
                continue;
            nic.Receive(frame);
            delivered = true;
        }
        return delivered;
    }
}
