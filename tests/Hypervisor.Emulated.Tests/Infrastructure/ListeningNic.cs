using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

/// <summary>A NIC that only tells what reached it.</summary>
internal sealed class ListeningNic(Action<Frame> heard, bool large = false) : GuestNic
{
    public override bool TakesLargeFrames => large;

    public override void Receive(Frame frame) => heard(frame with { Payload = frame.Payload.ToArray() });

    public override void Send(Frame frame, bool more = false) => throw new NotSupportedException("It only listens.");

    public override void Resume()
    {
        // It hears at once.
    }
}
