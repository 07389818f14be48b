using System.Globalization;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.Lspci;

/// <summary>
/// Gathers the hex lines of one function (<c>00: 86 80 c9 10 …</c>). A line <c>*</c> stands for zeros up to the next line's offset, as
/// hexdump writes it; the shipped profiles are kept that way.
/// </summary>
internal sealed class LspciHex
{
    private byte[] bytes = [];
    private int length;
    private bool zerosFollow;
    private bool broken;

    public ReadOnlyMemory<byte> Bytes => bytes.AsMemory(0, length);

    /// <summary>True for a line that begins like one of a dump: up to three hex digits and a colon, then nothing or a space.</summary>
    public static bool IsHexLine(ReadOnlySpan<char> line)
    {
        var colon = line.IndexOf(':');
        return colon is >= 2 and <= 4 && (line.Length == colon + 1 || line[colon + 1] == ' ') && LspciHeader.Hex(line[..colon]) is not null;
    }

    public void SkipZeros() => zerosFollow = true;

    /// <summary>Takes a line in; answers what is wrong with it, or null.</summary>
    public string? Add(ReadOnlySpan<char> line, bool cutOff)
    {
        var colon = line.IndexOf(':');
        var offset = LspciHeader.Hex(line[..colon])!.Value;
        if (broken)
            return null; // Said once, at the gap.
        if (offset != length && !(zerosFollow && offset > length && offset <= ConfigurationSpace.ExtendedLength))
        {
            var before = length;
            broken = true;
            return $"the hex dump jumps from {before:x2} to {offset:x2}; the rest of this function's bytes is left out";
        }
        zerosFollow = false;
        Reserve(offset);
        length = offset;
        return AddBytes(line[(colon + 1)..], cutOff);
    }

    private string? AddBytes(ReadOnlySpan<char> digits, bool cutOff)
    {
        var count = 0;
        Span<byte> row = stackalloc byte[16];
        foreach (var range in digits.Split(' '))
        {
            var token = digits[range].Trim();
            if (token.IsEmpty)
                continue;
            if (count == row.Length || token.Length != 2 || !byte.TryParse(token, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out row[count]))
            {
                Append(row[..count]);
                broken = true;
                return cutOff
                    ? $"the dump is cut off after {count} bytes of this line"
                    : $"{WarningList.Quote(token)} is no byte; the rest of this function's bytes is left out";
            }
            count++;
        }
        Append(row[..count]);
        if (count == row.Length || (count == 0 && IsFullLength))
            return null;
        broken = true;
        return $"the line has {count} bytes instead of 16; the rest of this function's bytes is left out";
    }

    private bool IsFullLength =>
        length is ConfigurationSpace.HeaderLength or ConfigurationSpace.ConventionalLength or ConfigurationSpace.ExtendedLength or 128;

    private void Append(ReadOnlySpan<byte> row)
    {
        if (length + row.Length > ConfigurationSpace.ExtendedLength)
            return;
        Reserve(length + row.Length);
        row.CopyTo(bytes.AsSpan(length));
        length += row.Length;
    }

    private void Reserve(int wanted)
    {
        if (wanted <= bytes.Length)
            return;
        var size = wanted <= ConfigurationSpace.HeaderLength ? ConfigurationSpace.HeaderLength
            : wanted <= ConfigurationSpace.ConventionalLength ? ConfigurationSpace.ConventionalLength : ConfigurationSpace.ExtendedLength;
        Array.Resize(ref bytes, size);
    }
}
