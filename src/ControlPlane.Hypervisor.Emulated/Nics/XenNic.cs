using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>A NIC split into a front end in the guest and a back end on the host's bridge, over pages that the guest has granted.</summary>
internal sealed class XenNic : GuestNic
{
    private readonly NetFront front;
    private readonly NetBack back;

    public XenNic(NicSlot slot, Action<Frame> toBridge)
    {
        front = new NetFront(slot);
        back = new NetBack(slot, front.Event, toBridge, nicReads: false);
        front.Notified = back.Wake;
    }

    public override void Send(Frame frame, bool more = false) => front.Send(frame, more);

    public override void Receive(Frame frame)
    {
        back.Deliver(frame);
        back.PublishDelivered();
    }

    public override void Resume() => front.Event.Resume();
}
