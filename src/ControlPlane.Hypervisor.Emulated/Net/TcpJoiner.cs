namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>
/// Joins segments that follow each other on a wire into one large frame (generic receive offload, Linux <c>tcp_gro_receive</c>), so that
/// the receiver's stack and copies are paid once. Only what cutting would give back exactly is joined.
/// </summary>
internal sealed class TcpJoiner
{
    private const int MaxBytes = ushort.MaxValue;

    private byte[]? held;
    private int filled;
    private int segmentBytes;
    private int segments;
    private Frame first;

    /// <summary>True while something is held back.</summary>
    public bool IsHolding => segments > 0;

    /// <summary>Takes the frame if it can be joined, now or with its successors. Otherwise false, and what was held must go before it.</summary>
    public bool TryHold(Frame frame)
    {
        if (frame.EtherType != TcpPacket.EtherType || frame.SegmentBytes > 0)
            return false;
        held ??= new byte[MaxBytes];
        if (segments == 0)
            return TryBegin(frame);
        if (frame.Source != first.Source || frame.Destination != first.Destination || frame.Vlan != first.Vlan)
            return false;
        Span<byte> incoming = stackalloc byte[frame.Payload.Length];
        frame.Payload.Span.CopyTo(incoming);
        if (!TcpPacket.TryRead(incoming, out var next) || !TcpPacket.TryRead(held.AsSpan(0, filled), out var large) || !next.IsSound)
            return false;
        var length = next.Payload.Length;
        if (!next.IsSameFlow(large) || next.Sequence != large.Sequence + (uint)large.Payload.Length || length == 0 || length > segmentBytes
            || (next.Flags & ~TcpPacket.Push) != TcpPacket.Acknowledge || IsEnded || filled + length > MaxBytes)
            return false;
        next.Payload.CopyTo(held.AsSpan(filled));
        large.Flags |= next.Flags;
        filled += length;
        segments++;
        IsEnded = length < segmentBytes || (next.Flags & TcpPacket.Push) != 0;
        return true;
    }

    /// <summary>The last segment that can belong to it is in: nothing more may be joined.</summary>
    public bool IsEnded { get; private set; }

    /// <summary>Gives out what is held, and how many segments it was.</summary>
    public (Frame Frame, int Segments) Release()
    {
        var (frame, count) = (first with { Payload = held.AsMemory(0, filled) }, segments);
        if (count > 1)
        {
            TcpPacket.TryRead(held.AsSpan(0, filled), out var large);
            large.FinishNetworkHeader();
            frame = frame with { SegmentBytes = segmentBytes };
        }
        segments = 0;
        IsEnded = false;
        return (frame, count);
    }

    private bool TryBegin(Frame frame)
    {
        frame.Payload.Span.CopyTo(held);
        filled = frame.Payload.Length;
        if (!TcpPacket.TryRead(held.AsSpan(0, filled), out var packet) || packet.Flags != TcpPacket.Acknowledge || packet.Payload.Length == 0 || !packet.IsSound)
            return false;
        (first, segmentBytes, segments) = (frame, packet.Payload.Length, 1);
        return true;
    }
}
