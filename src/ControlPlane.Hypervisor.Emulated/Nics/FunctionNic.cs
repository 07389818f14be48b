using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>A NIC's function inside a guest, with as many queue pairs as its driver asked for and the function has.</summary>
internal sealed class FunctionNic : GuestNic
{
    /// <summary>What Linux's drivers set for bulk traffic: 20,000 interrupts a second at most.</summary>
    public static readonly TimeSpan Throttle = TimeSpan.FromMicroseconds(50);

    private readonly FunctionQueue[] queues;

    /// <param name="slots">One for each queue pair.</param>
    /// <param name="offload">Whether the guest lets the function cut its large frames.</param>
    public FunctionNic(IReadOnlyList<NicSlot> slots, DmaPort dma, bool offload, Func<Frame, bool> toSwitch)
    {
        CutsLargeFrames = offload;
        queues = [.. slots.Select((slot, number) => new FunctionQueue(slot, dma, number, Throttle, toSwitch))];
    }

    public override bool CutsLargeFrames { get; }

    public int QueuePairs => queues.Length;

    public override void Send(Frame frame, bool more = false) => QueueOf(frame).Send(frame, more);

    public override void Receive(Frame frame) => QueueOf(frame).Receive(frame);

    public override void Resume()
    {
        foreach (var queue in queues)
            queue.Resume();
    }

    /// <summary>The switch may have room again.</summary>
    public void Fetch()
    {
        foreach (var queue in queues)
            queue.Fetch();
    }

    /// <summary>Frames of one pair of stations stay in order: they take one queue (receive side scaling; the driver chooses likewise).</summary>
    private FunctionQueue QueueOf(Frame frame) =>
        queues.Length == 1 ? queues[0] : queues[(int)((frame.Source.Value ^ frame.Destination.Value) * 0x9e37_79b9_7f4a_7c15UL >> 33) % queues.Length];
}
