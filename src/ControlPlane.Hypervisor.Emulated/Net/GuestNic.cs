namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>
/// A NIC as a guest has it, its driver included. What lies between driver and device (registers, rings in guest memory, shared pages) is the
/// kind's own; frames come out as they went in.
/// </summary>
internal abstract class GuestNic
{
    /// <summary>True when a frame that is still to be cut into segments (<see cref="Frame.SegmentBytes"/>) may be given to the guest whole.</summary>
    public virtual bool TakesLargeFrames => false;

    /// <summary>True when the guest may send such a frame: the device, or whoever is behind it, cuts it where it must be.</summary>
    public virtual bool CutsLargeFrames => false;

    /// <summary>A frame comes out of the switch. Its payload is lent for the time of the call.</summary>
    public abstract void Receive(Frame frame);

    /// <summary>The guest's driver sends a frame; its payload is the driver's again when the call returns.</summary>
    /// <param name="more">Another follows at once, so that the driver need not tell the device yet (Linux: <c>netdev_xmit_more</c>).</param>
    public abstract void Send(Frame frame, bool more = false);

    /// <summary>The guest's CPUs run again: interrupts that waited for them are taken.</summary>
    public abstract void Resume();

    /// <summary>What has to travel beside the guest's memory; null: the driver begins anew wherever it goes.</summary>
    public virtual NicState? Save() => null;
}
