using System.Buffers.Binary;
using ControlPlane.Domain.Networks;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>The fields of a TCP segment in an IPv4 packet (RFC 791, RFC 9293) that cutting and joining look at and change.</summary>
internal readonly ref struct TcpPacket
{
    public const ushort EtherType = 0x0800;
    public const byte Fin = 0x01;
    public const byte Push = 0x08;
    public const byte Acknowledge = 0x10;
    public const byte WindowReduced = 0x80;

    /// <summary>Of headers without options.</summary>
    public const int FormattedBytes = 40;

    private const byte Tcp = 6;
    private readonly Span<byte> bytes;
    private readonly int network;

    private TcpPacket(Span<byte> bytes, int network, int headers)
    {
        this.bytes = bytes;
        this.network = network;
        HeaderBytes = headers;
    }

    /// <summary>Both headers, options included.</summary>
    public int HeaderBytes { get; }

    public Span<byte> Payload => bytes[HeaderBytes..];

    public ReadOnlySpan<byte> Addresses => bytes[12..20];

    /// <summary>Ports, and from the acknowledgement on everything but flags and checksum: what all segments of one large frame share.</summary>
    public bool IsSameFlow(TcpPacket other) =>
        HeaderBytes == other.HeaderBytes && network == other.network && Addresses.SequenceEqual(other.Addresses)
        && bytes.Slice(network, 4).SequenceEqual(other.bytes.Slice(network, 4))
        && bytes.Slice(network + 8, 4).SequenceEqual(other.bytes.Slice(network + 8, 4))
        && bytes[(network + 20)..HeaderBytes].SequenceEqual(other.bytes[(network + 20)..HeaderBytes]);

    public uint Sequence
    {
        get => BinaryPrimitives.ReadUInt32BigEndian(bytes[(network + 4)..]);
        set => BinaryPrimitives.WriteUInt32BigEndian(bytes[(network + 4)..], value);
    }

    public byte Flags
    {
        get => bytes[network + 13];
        set => bytes[network + 13] = value;
    }

    public ushort Identification
    {
        get => BinaryPrimitives.ReadUInt16BigEndian(bytes[4..]);
        set => BinaryPrimitives.WriteUInt16BigEndian(bytes[4..], value);
    }

    public static bool TryRead(Span<byte> packet, out TcpPacket read)
    {
        read = default;
        if (packet.Length < 40 || packet[0] >> 4 != 4 || packet[9] != Tcp)
            return false;
        var network = (packet[0] & 0xf) * 4;
        if (network < 20 || packet.Length < network + 20)
            return false;
        var headers = network + (packet[network + 12] >> 4 << 2);
        if (headers < network + 20 || packet.Length < headers)
            return false;
        read = new TcpPacket(packet, network, headers);
        return true;
    }

    /// <summary>Writes both headers, without options, in front of what the packet carries; the TCP checksum is left to whoever cuts it.</summary>
    public static void Format(Span<byte> packet, MacAddress source, MacAddress target, uint sequence)
    {
        packet[..FormattedBytes].Clear();
        (packet[0], packet[8], packet[9]) = (0x45, 64, Tcp);
        // 10.0.0.0/8, the host's part from the station's address.
        BinaryPrimitives.WriteUInt32BigEndian(packet[12..], 0x0a00_0000 | (uint)(source.Value & 0xff_ffff));
        BinaryPrimitives.WriteUInt32BigEndian(packet[16..], 0x0a00_0000 | (uint)(target.Value & 0xff_ffff));
        BinaryPrimitives.WriteUInt16BigEndian(packet[20..], 5001);
        BinaryPrimitives.WriteUInt16BigEndian(packet[22..], 5001);
        BinaryPrimitives.WriteUInt32BigEndian(packet[24..], sequence);
        (packet[32], packet[33]) = (5 << 4, Acknowledge);
        BinaryPrimitives.WriteUInt16BigEndian(packet[34..], 0xffff);
        new TcpPacket(packet, 20, FormattedBytes).FinishNetworkHeader();
    }

    /// <summary>Length and checksum of the IPv4 header, as the packet is now.</summary>
    public void FinishNetworkHeader()
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)bytes.Length);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[10..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[10..], (ushort)~Sum(bytes[..network], 0));
    }

    /// <summary>The TCP checksum, over the pseudo header as well.</summary>
    public void FinishTransportHeader()
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes[(network + 16)..], 0);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[(network + 16)..], (ushort)~TransportSum());
    }

    /// <summary>True when both checksums are right (a sum with its own complement in it is all ones).</summary>
    public bool IsSound => Sum(bytes[..network], 0) == 0xffff && TransportSum() == 0xffff;

    private ushort TransportSum() => Sum(bytes[network..], Sum(Addresses, (uint)(Tcp + bytes.Length - network)));

    /// <summary>RFC 1071: the sum of 16-bit words in ones' complement.</summary>
    private static ushort Sum(ReadOnlySpan<byte> data, uint start)
    {
        ulong sum = start;
        for (; data.Length >= 4; data = data[4..])
            sum += BinaryPrimitives.ReadUInt32BigEndian(data);
        if (data.Length >= 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(data);
        if (data.Length % 2 == 1)
            sum += (ulong)data[^1] << 8;
        while (sum > 0xffff)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)sum;
    }
}
