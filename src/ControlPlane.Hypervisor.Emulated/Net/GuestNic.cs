namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>A NIC as a guest has it: frames arrive in its ring, and go out by a way of its own.</summary>
/// <param name="write">How frames come into guest memory.</param>
/// <param name="send">How frames leave.</param>
/// <param name="arrived">Called when the ring has a frame that the guest may take.</param>
internal sealed class GuestNic(ReceiveRing ring, WriteGuest write, Action<Frame> send, Action<GuestNic> arrived)
{
    public ReceiveRing Ring => ring;

    public void Receive(Frame frame)
    {
        ring.Receive(frame, write);
        arrived(this);
    }

    public void Send(Frame frame) => send(frame);
}
