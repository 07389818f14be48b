using System.Globalization;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory.Lspci;

/// <summary>
/// Reads the line that begins a function: <c>0000:04:00.0 Ethernet controller [0200]: Intel Corporation 82576 … [8086:10c9] (rev 01) (prog-if 00 […])</c>,
/// with <c>-n</c> numbers only (<c>04:00.0 0200: 8086:10c9 (rev 01)</c>), without <c>-n</c> names only.
/// </summary>
internal static class LspciHeader
{
    public static bool TryParse(ReadOnlySpan<char> text, int line, out LspciFunction function)
    {
        function = null!;
        var space = text.IndexOf(' ');
        var first = space < 0 ? text : text[..space];
        if (first.Length < 7 || !TryParseAddress(first, out var address))
            return false;
        function = new LspciFunction(address, line);
        if (space >= 0)
            function = ParseRest(function, text[(space + 1)..].Trim());
        return true;
    }

    /// <summary>With -PP the way from the root stands before it: <c>0000:00:1c.0/01:00.0</c>; the domain is written once.</summary>
    private static bool TryParseAddress(ReadOnlySpan<char> text, out PciAddress address)
    {
        const int longest = 16;
        var slash = text.LastIndexOf('/');
        var last = text[(slash + 1)..];
        address = default;
        if (last.Length > longest || !PciAddress.TryParse(last.ToString(), out address))
            return false;
        if (slash < 0)
            return true;
        var root = text[..text.IndexOf('/')];
        if (root.Length > longest || !PciAddress.TryParse(root.ToString(), out var rootAddress))
            return false;
        address = PciAddress.FromRoutingId(rootAddress.Domain, address.RoutingId);
        return true;
    }

    private static LspciFunction ParseRest(LspciFunction function, ReadOnlySpan<char> rest)
    {
        if (CutMarked(ref rest, " (prog-if ", 2) is { } programmingInterface)
            function = function with { ProgrammingInterface = programmingInterface };
        if (CutMarked(ref rest, " (rev ", 2) is { } revision)
            function = function with { Revision = (byte)revision };
        function = ParseClass(function, ref rest);
        return ParseDevice(function, rest);
    }

    /// <summary>The number after the last mark; what follows the mark is cut off.</summary>
    private static int? CutMarked(ref ReadOnlySpan<char> text, string mark, int digits)
    {
        var at = text.LastIndexOf(mark, StringComparison.Ordinal);
        if (at < 0 || text.Length < at + mark.Length + digits || Hex(text.Slice(at + mark.Length, digits)) is not { } value)
            return null;
        text = text[..at];
        return value;
    }

    private static LspciFunction ParseClass(LspciFunction function, ref ReadOnlySpan<char> rest)
    {
        // Numbers only: "0200: 8086:10c9".
        if (rest.Length >= 5 && rest[4] == ':' && Hex(rest[..4]) is { } number)
        {
            rest = rest[5..].Trim();
            return function with { ClassCode = number };
        }
        // Names and numbers: "Ethernet controller [0200]: …". A class's name may have brackets of its own, but then no colon follows them.
        for (var at = rest.IndexOf("]:", StringComparison.Ordinal); at >= 0;)
        {
            if (at >= 5 && rest[at - 5] == '[' && Hex(rest.Slice(at - 4, 4)) is { } code)
            {
                var name = rest[..(at - 5)].Trim();
                rest = rest[(at + 2)..].Trim();
                return function with { ClassCode = code, ClassName = name.IsEmpty ? null : name.ToString() };
            }
            var next = rest[(at + 2)..].IndexOf("]:", StringComparison.Ordinal);
            at = next < 0 ? -1 : at + 2 + next;
        }
        // Names only: "Ethernet controller: …".
        var colon = rest.IndexOf(": ", StringComparison.Ordinal);
        if (colon <= 0)
            return function;
        function = function with { ClassName = rest[..colon].ToString() };
        rest = rest[(colon + 2)..].Trim();
        return function;
    }

    private static LspciFunction ParseDevice(LspciFunction function, ReadOnlySpan<char> rest)
    {
        if (Ids(rest) is var (vendor, device))
            return function with { VendorId = vendor, DeviceId = device };
        if (rest.Length >= 11 && rest[^1] == ']' && rest[^11] == '[' && Ids(rest[^10..^1]) is var (namedVendor, namedDevice))
        {
            var name = rest[..^11].Trim();
            return function with { VendorId = namedVendor, DeviceId = namedDevice, Name = name.IsEmpty ? null : name.ToString() };
        }
        return rest.IsEmpty ? function : function with { Name = rest.ToString() };
    }

    /// <summary><c>8086:10c9</c>, or null.</summary>
    internal static (ushort Vendor, ushort Device)? Ids(ReadOnlySpan<char> text) =>
        text.Length == 9 && text[4] == ':' && Hex(text[..4]) is { } vendor && Hex(text[5..]) is { } device
            ? ((ushort)vendor, (ushort)device)
            : null;

    internal static int? Hex(ReadOnlySpan<char> digits) =>
        int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) ? value : null;
}
