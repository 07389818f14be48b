using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>A way by which a NIC writes into guest memory: device DMA through the IOMMU, or the host's own copy. False: it did not arrive.</summary>
internal delegate bool WriteGuest(long guestPhysical, ReadOnlySpan<byte> data);

/// <summary>
/// The receive buffers that a guest's driver has posted, in guest memory. A guest whose CPUs stand still empties none, so after as many frames
/// as there are buffers the NIC drops what comes.
/// </summary>
internal sealed class ReceiveRing(GuestMemory memory, long firstBuffer)
{
    public const int Buffers = 64;
    public const int BufferBytes = 2048;

    private readonly Queue<(int Buffer, int Bytes)> used = new();
    private int next;

    public long DroppedFrames { get; private set; }

    /// <summary>The NIC puts a frame into the next buffer.</summary>
    public void Receive(Frame frame, WriteGuest write)
    {
        if (used.Count == Buffers || frame.Bytes > BufferBytes)
        {
            DroppedFrames++;
            return;
        }
        Span<byte> bytes = stackalloc byte[frame.Bytes];
        frame.CopyTo(bytes);
        if (!write(AddressOf(next), bytes))
        {
            DroppedFrames++;
            return;
        }
        used.Enqueue((next, frame.Bytes));
        next = (next + 1) % Buffers;
    }

    /// <summary>The guest's driver takes what has come, out of its own memory, and posts the buffers again.</summary>
    public void Reap(Action<Frame> handle)
    {
        Span<byte> bytes = stackalloc byte[BufferBytes];
        while (used.TryDequeue(out var filled))
        {
            memory.Read(AddressOf(filled.Buffer), bytes[..filled.Bytes]);
            handle(Frame.Parse(bytes[..filled.Bytes]));
        }
    }

    private long AddressOf(int buffer) => firstBuffer + (buffer * BufferBytes);
}
