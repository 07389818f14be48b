using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ControlPlane.Domain.Networks;

/// <summary>An IEEE 802 MAC address, 48 bits, written <c>52:54:00:12:34:56</c>.</summary>
public readonly record struct MacAddress(ulong Value)
{
    public static readonly MacAddress Zero = new(0);

    /// <summary>The group bit of the first octet (IEEE 802 section 8.2): such an address cannot belong to one interface.</summary>
    public bool IsMulticast => (Value & 0x0100_0000_0000) != 0;

    public static bool TryParse([NotNullWhen(true)] string? text, out MacAddress mac)
    {
        mac = default;
        if (text is not { Length: 17 })
            return false;
        ulong value = 0;
        for (var i = 0; i < 17; i += 3)
        {
            if (i < 15 && text[i + 2] is not (':' or '-'))
                return false;
            if (!byte.TryParse(text.AsSpan(i, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var octet))
                return false;
            value = (value << 8) | octet;
        }
        mac = new MacAddress(value);
        return true;
    }

    public static MacAddress Parse(string text) =>
        TryParse(text, out var mac) ? mac : throw new FormatException($"'{text}' is not a MAC address.");

    /// <summary>
    /// An address in the locally administered block that KVM guests use (52:54:00), drawn from an id's random bits. Two ids may
    /// give one address; the database refuses the second and the caller draws again with the next <paramref name="attempt"/>.
    /// </summary>
    public static MacAddress Derive(Guid id, int index, int attempt)
    {
        // FNV-1a over the id, the interface's index and the attempt: spread is all that is wanted, not secrecy.
        Span<byte> bytes = stackalloc byte[24];
        id.TryWriteBytes(bytes);
        BitConverter.TryWriteBytes(bytes[16..], index);
        BitConverter.TryWriteBytes(bytes[20..], attempt);
        var hash = 14695981039346656037UL;
        foreach (var b in bytes)
            hash = (hash ^ b) * 1099511628211UL;
        return new MacAddress(0x5254_0000_0000UL | ((hash ^ (hash >> 32)) & 0xFF_FFFF));
    }

    public override string ToString() =>
        string.Create(17, Value, static (span, value) =>
        {
            for (var i = 0; i < 6; i++)
            {
                ((byte)(value >> (40 - (i * 8)))).TryFormat(span[(i * 3)..], out _, "x2");
                if (i < 5)
                    span[(i * 3) + 2] = ':';
            }
        });
}
