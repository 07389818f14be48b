using System.Buffers.Binary;
using ControlPlane.Domain.Networks;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>An Ethernet frame on its way.</summary>
/// <param name="Vlan">802.1Q tag on the wire; null: untagged.</param>
internal sealed record Frame(MacAddress Source, MacAddress Destination, int? Vlan, ushort EtherType, ReadOnlyMemory<byte> Payload)
{
    /// <summary>Loopback test (Ethernet Configuration Testing Protocol): what probes are sent as.</summary>
    public const ushort ProbeType = 0x9000;

    /// <summary>Reverse ARP: what a VMM or a guest announces itself with after it has moved.</summary>
    public const ushort AnnounceType = 0x8035;

    private const int HeaderBytes = 14;

    public static readonly MacAddress Broadcast = new(0xffff_ffff_ffffUL);

    public int Bytes => HeaderBytes + Payload.Length;

    /// <summary>As a NIC writes it into a receive buffer: the tag is stripped, as the port's VLAN has already chosen the receiver.</summary>
    public void CopyTo(Span<byte> buffer)
    {
        WriteMac(buffer, Destination);
        WriteMac(buffer[6..], Source);
        BinaryPrimitives.WriteUInt16BigEndian(buffer[12..], EtherType);
        Payload.Span.CopyTo(buffer[HeaderBytes..]);
    }

    public static Frame Parse(ReadOnlySpan<byte> buffer) => new(
        ReadMac(buffer[6..]), ReadMac(buffer), null, BinaryPrimitives.ReadUInt16BigEndian(buffer[12..]), buffer[HeaderBytes..].ToArray());

    private static void WriteMac(Span<byte> buffer, MacAddress mac)
    {
        BinaryPrimitives.WriteUInt16BigEndian(buffer, (ushort)(mac.Value >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(buffer[2..], (uint)mac.Value);
    }

    private static MacAddress ReadMac(ReadOnlySpan<byte> buffer) =>
        new(((ulong)BinaryPrimitives.ReadUInt16BigEndian(buffer) << 32) | BinaryPrimitives.ReadUInt32BigEndian(buffer[2..]));
}
