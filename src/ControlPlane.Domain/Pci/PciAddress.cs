using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ControlPlane.Domain.Pci;

/// <summary>Domain (segment), bus, device and function of a PCI function, written <c>0000:41:10.2</c> as Linux writes it.</summary>
/// <remarks>
/// Packed into one word, so that it sorts in topological order and is a key without allocation. A domain has 32 bits in Linux: those
/// above 0xffff are made by software (Intel VMD counts from 0x10000, Hyper-V draws them), and are written with as many digits as they need.
/// </remarks>
public readonly record struct PciAddress : IComparable<PciAddress>
{
    private readonly ulong packed;

    /// <param name="domain">Segment group, 0 to 0x7fffffff.</param>
    /// <param name="bus">0 to 255.</param>
    /// <param name="device">0 to 31.</param>
    /// <param name="function">0 to 7.</param>
    public PciAddress(int domain, int bus, int device, int function)
    {
        if (domain < 0 || (uint)bus > 0xff || (uint)device > 0x1f || (uint)function > 7)
            throw new ArgumentOutOfRangeException(nameof(domain), $"{domain:x4}:{bus:x2}:{device:x2}.{function:x} is no PCI address.");
        packed = ((ulong)(uint)domain << 16) | ((uint)bus << 8) | ((uint)device << 3) | (uint)function;
    }

    private PciAddress(ulong packed) => this.packed = packed;

    public int Domain => (int)(packed >> 16);

    public int Bus => (int)(packed >> 8) & 0xff;

    public int Device => (int)(packed >> 3) & 0x1f;

    public int Function => (int)packed & 7;

    /// <summary>Bus, device and function in 16 bits: what a transaction on the fabric carries (PCIe base specification, requester id).</summary>
    public ushort RoutingId => (ushort)packed;

    public static PciAddress FromRoutingId(int domain, ushort routingId) => new(((ulong)(uint)domain << 16) | routingId);

    public PciAddress WithFunction(int function) => new(Domain, Bus, Device, function);

    /// <summary>Takes <c>dddd:bb:dd.f</c>, four to eight digits of domain, and, in domain 0, <c>bb:dd.f</c>.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PciAddress address)
    {
        address = default;
        if (text is null)
            return false;
        var domain = 0;
        var rest = text.AsSpan();
        if (rest.Length is >= 12 and <= 16 && rest[^8] == ':')
        {
            if (!Hex(rest[..^8], out domain) || domain < 0)
                return false;
            rest = rest[^7..];
        }
        if (rest.Length != 7 || rest[2] != ':' || rest[5] != '.')
            return false;
        if (!Hex(rest[..2], out var bus) || !Hex(rest.Slice(3, 2), out var device) || !Hex(rest.Slice(6, 1), out var function))
            return false;
        if (device > 0x1f || function > 7)
            return false;
        address = new PciAddress(domain, bus, device, function);
        return true;

        static bool Hex(ReadOnlySpan<char> digits, out int value) =>
            int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    public static PciAddress Parse(string text) =>
        TryParse(text, out var address) ? address : throw new FormatException($"'{text}' is not a PCI address.");

    public int CompareTo(PciAddress other) => packed.CompareTo(other.packed);

    public static bool operator <(PciAddress left, PciAddress right) => left.packed < right.packed;

    public static bool operator >(PciAddress left, PciAddress right) => left.packed > right.packed;

    public static bool operator <=(PciAddress left, PciAddress right) => left.packed <= right.packed;

    public static bool operator >=(PciAddress left, PciAddress right) => left.packed >= right.packed;

    public override string ToString() => $"{Domain:x4}:{Bus:x2}:{Device:x2}.{Function:x1}";
}
