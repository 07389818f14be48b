using System.Buffers.Binary;
using ControlPlane.Domain.Networks;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>An Ethernet frame on its way.</summary>
/// <param name="Vlan">802.1Q tag on the wire; null: untagged.</param>
/// <param name="Payload">Lent by whoever sends, for the time of the call: a receiver that keeps it copies it.</param>
internal readonly record struct Frame(MacAddress Source, MacAddress Destination, int? Vlan, ushort EtherType, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Loopback test (Ethernet Configuration Testing Protocol): what probes are sent as.</summary>
    public const ushort ProbeType = 0x9000;

    /// <summary>Reverse ARP: what a VMM or a guest announces itself with after it has moved.</summary>
    public const ushort AnnounceType = 0x8035;

    /// <summary>Local experimental (IEEE 802, table 4): what traffic on demand is sent as.</summary>
    public const ushort TrafficType = 0x88b5;

    public const int HeaderBytes = 14;

    public static readonly MacAddress Broadcast = new(0xffff_ffff_ffffUL);

    public int Bytes => HeaderBytes + Payload.Length;

    /// <summary>
    /// TCP payload of each segment into which the frame is still to be cut before it fits on a wire (virtio's <c>gso_size</c>); 0: it fits.
    /// The TCP checksum of such a frame is not filled in yet.
    /// </summary>
    public int SegmentBytes { get; init; }

    /// <summary>As a NIC writes it into a receive buffer: the tag is stripped, as the port's VLAN has already chosen the receiver.</summary>
    public void CopyTo(Span<byte> buffer)
    {
        WriteMac(buffer, Destination);
        WriteMac(buffer[6..], Source);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[12..], EtherType);
        Payload.Span.CopyTo(buffer[HeaderBytes..]);
    }

    /// <summary>The frame in a buffer, whose bytes it goes on using.</summary>
    public static Frame Parse(ReadOnlyMemory<byte> buffer)
    {
        var bytes = buffer.Span;
        return new Frame(ReadMac(bytes[6..]), ReadMac(bytes), null, BinaryPrimitives.ReadUInt16BigEndian(bytes[12..]), buffer[HeaderBytes..]);
    }

    private static void WriteMac(Span<byte> buffer, MacAddress mac)
    {
        BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)(mac.Value >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(buffer[2..], (uint)mac.Value);
    }

    private static MacAddress ReadMac(ReadOnlySpan<byte> buffer) =>
        new(((ulong)BinaryPrimitives.ReadUInt16BigEndian(buffer) << 32) | BinaryPrimitives.ReadUInt32BigEndian(buffer[2..]));
}
