using System.Buffers;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>Cuts a large TCP frame into segments that fit on a wire (TSO in a NIC, GSO in a host: Linux <c>tcp_gso_segment</c>).</summary>
internal static class TcpSegmenter
{
    /// <summary>
    /// Each segment has the frame's headers with its own length, identification, sequence number and checksums; only the last one ends the
    /// connection or pushes, and only the first tells of a reduced window. A frame that is no TCP over IPv4 goes on as it is.
    /// </summary>
    public static void Cut(Frame frame, Action<Frame> segment)
    {
        var whole = ArrayPool<byte>.Shared.Rent(frame.Payload.Length);
        frame.Payload.Span.CopyTo(whole);
        if (frame.EtherType != TcpPacket.EtherType || frame.SegmentBytes <= 0 || !TcpPacket.TryRead(whole.AsSpan(0, frame.Payload.Length), out var large))
        {
            segment(frame with { SegmentBytes = 0 });
            ArrayPool<byte>.Shared.Return(whole);
            return;
        }
        var (headers, total) = (large.HeaderBytes, large.Payload.Length);
        var part = ArrayPool<byte>.Shared.Rent(headers + frame.SegmentBytes);
        for (int at = 0, number = 0; at < total || number == 0; at += frame.SegmentBytes, number++)
        {
            var length = Math.Min(frame.SegmentBytes, total - at);
            whole.AsSpan(0, headers).CopyTo(part);
            whole.AsSpan(headers + at, length).CopyTo(part.AsSpan(headers));
            TcpPacket.TryRead(part.AsSpan(0, headers + length), out var cut);
            cut.Identification = (ushort)(large.Identification + number);
            cut.Sequence = large.Sequence + (uint)at;
            if (at + length < total)
                cut.Flags &= unchecked((byte)~(TcpPacket.Fin | TcpPacket.Push));
            if (number > 0)
                cut.Flags &= unchecked((byte)~TcpPacket.WindowReduced);
            cut.FinishNetworkHeader();
            cut.FinishTransportHeader();
            segment(frame with { Payload = part.AsMemory(0, headers + length), SegmentBytes = 0 });
        }
        ArrayPool<byte>.Shared.Return(part);
        ArrayPool<byte>.Shared.Return(whole);
    }
}
