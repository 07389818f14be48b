using ControlPlane.Domain.Networks;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>A machine on the wire that sends back what it is sent: whom guests talk to that have no peer.</summary>
internal sealed class EchoStation(WireSwitch wire) : SwitchPort
{
    /// <summary>Locally administered and outside of the block that guests' addresses are drawn from.</summary>
    public static readonly MacAddress Mac = new(0x0200_0000_00fdUL);

    public override void Receive(Frame frame)
    {
        if (frame.Destination == Mac)
            wire.Send(this, frame with { Source = Mac, Destination = frame.Source });
    }
}
