using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;

namespace ControlPlane.Lab.Probes;

/// <summary>The Ethernet frames of the probe: ICMP echo requests out, their replies in, and answers to who asks for the probe's MAC (ARP).</summary>
internal sealed class EchoFrames(PhysicalAddress fromMac, IPAddress fromAddress, PhysicalAddress toMac, IPAddress toAddress, ushort identifier)
{
    private const int Ethernet = 14;
    private const int Ip = 20;
    private const int Icmp = 8;
    private const int Payload = 18; // Fills the frame up to Ethernet's least size, 60 bytes without its checksum.
    private const ushort TypeIp = 0x0800;
    private const ushort TypeArp = 0x0806;
    private const byte ProtocolIcmp = 1;
    private const byte EchoRequest = 8;
    private const byte EchoReply = 0;

    private readonly byte[] ourMac = fromMac.GetAddressBytes();
    private readonly byte[] ourAddress = fromAddress.GetAddressBytes();
    private readonly byte[] theirMac = toMac.GetAddressBytes();
    private readonly byte[] theirAddress = toAddress.GetAddressBytes();

    /// <summary>RFC 792, echo.</summary>
    public byte[] Request(ushort sequence)
    {
        var frame = new byte[Ethernet + Ip + Icmp + Payload];
        theirMac.CopyTo(frame, 0);
        ourMac.CopyTo(frame, 6);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), TypeIp);

        var ip = frame.AsSpan(Ethernet, Ip);
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(Ip + Icmp + Payload));
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], sequence);
        ip[8] = 64;
        ip[9] = ProtocolIcmp;
        ourAddress.CopyTo(ip[12..]);
        theirAddress.CopyTo(ip[16..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], Checksum(ip));

        var icmp = frame.AsSpan(Ethernet + Ip);
        icmp[0] = EchoRequest;
        BinaryPrimitives.WriteUInt16BigEndian(icmp[4..], identifier);
        BinaryPrimitives.WriteUInt16BigEndian(icmp[6..], sequence);
        BinaryPrimitives.WriteUInt16BigEndian(icmp[2..], Checksum(icmp));
        return frame;
    }

    /// <summary>The sequence number of a reply to one of our requests; null for every other frame.</summary>
    public ushort? ReplyIn(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < Ethernet + Ip + Icmp || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != TypeIp || frame[Ethernet + 9] != ProtocolIcmp)
            return null;
        var header = (frame[Ethernet] & 0x0f) * 4;
        if (frame.Length < Ethernet + header + Icmp || !frame.Slice(Ethernet + 12, 4).SequenceEqual(theirAddress))
            return null;
        var icmp = frame[(Ethernet + header)..];
        return icmp[0] == EchoReply && BinaryPrimitives.ReadUInt16BigEndian(icmp[4..]) == identifier
            ? BinaryPrimitives.ReadUInt16BigEndian(icmp[6..])
            : null;
    }

    /// <summary>The answer to an ARP request for our address (RFC 826); null for every other frame.</summary>
    public byte[]? AnswerTo(ReadOnlySpan<byte> frame)
    {
        if (frame.Length < Ethernet + 28 || BinaryPrimitives.ReadUInt16BigEndian(frame[12..]) != TypeArp
            || BinaryPrimitives.ReadUInt16BigEndian(frame[(Ethernet + 6)..]) != 1 || !frame.Slice(Ethernet + 24, 4).SequenceEqual(ourAddress))
        {
            return null;
        }

        var answer = new byte[60];
        frame.Slice(6, 6).CopyTo(answer);
        ourMac.CopyTo(answer, 6);
        frame.Slice(12, 8).CopyTo(answer.AsSpan(12)); // Type, and the kinds and lengths of both addresses.
        BinaryPrimitives.WriteUInt16BigEndian(answer.AsSpan(Ethernet + 6), 2);
        ourMac.CopyTo(answer, Ethernet + 8);
        ourAddress.CopyTo(answer, Ethernet + 14);
        frame.Slice(Ethernet + 8, 10).CopyTo(answer.AsSpan(Ethernet + 18));
        return answer;
    }

    /// <summary>RFC 1071, over data whose checksum field is zero; over data that holds its checksum the result is zero.</summary>
    internal static ushort Checksum(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (var i = 0; i + 1 < data.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(data[i..]);
        if (data.Length % 2 == 1)
            sum += (uint)data[^1] << 8;
        while (sum > ushort.MaxValue)
            sum = (sum & ushort.MaxValue) + (sum >> 16);
        return (ushort)~sum;
    }
}
