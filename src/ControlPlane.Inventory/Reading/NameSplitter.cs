using ControlPlane.Inventory.Lspci;

namespace ControlPlane.Inventory.Reading;

/// <summary>
/// Takes vendor and device apart, which lspci prints as one: <c>Intel Corporation 82576 Gigabit Network Connection</c>. Vendors we know
/// by id; others by how the names of the same dump begin, or by the words with which companies end.
/// </summary>
internal sealed class NameSplitter
{
    private static readonly string[] CompanyEnds =
    [
        "Corporation", "Corp.", "Corp", "Inc.", "Inc", "Incorporated", "Ltd.", "Ltd", "Limited", "LLC", "GmbH", "AG", "S.A.", "B.V.", "Technologies",
        "Technology", "Semiconductor", "Semiconductors", "Electronics", "Systems", "Networks", "Co.", "Company", "Group", "Labs", "Labs,",
    ];

    private readonly Dictionary<ushort, string> learned = [];

    private NameSplitter()
    {
    }

    public static NameSplitter Learn(IEnumerable<LspciFunction> functions)
    {
        var splitter = new NameSplitter();
        foreach (var function in functions)
        {
            // A device without a name of its own prints as 'VENDOR Device'.
            if (function is { VendorId: { } vendor, Name: { } name } && name.EndsWith(" Device", StringComparison.Ordinal))
                splitter.learned.TryAdd(vendor, name[..^" Device".Length]);
        }
        return splitter;
    }

    public (string? Vendor, string? Device) Split(LspciFunction function)
    {
        // 'Device' alone is a device whose vendor the tool does not know either.
        if (function.Name is not { Length: > 0 } name || name == "Device")
            return (null, null);
        if ((function.VendorId ?? VendorInBytes(function)) is { } id
            && ((PciNames.Vendor(id) is { } known ? Cut(name, known) : null) ?? (learned.TryGetValue(id, out var seen) ? Cut(name, seen) : null)) is { } cut)
            return cut;
        return SplitAtCompanyEnd(name);
    }

    private static ushort? VendorInBytes(LspciFunction function) =>
        function.Bytes.Length >= 2 ? (ushort)(function.Bytes.Span[0] | (function.Bytes.Span[1] << 8)) : null;

    private static (string Vendor, string? Device)? Cut(string name, string vendor)
    {
        if (!name.StartsWith(vendor, StringComparison.Ordinal))
            return null;
        if (name.Length == vendor.Length)
            return (vendor, null);
        return name[vendor.Length] == ' ' ? (vendor, name[(vendor.Length + 1)..]) : null;
    }

    private static (string Vendor, string? Device) SplitAtCompanyEnd(string name)
    {
        var words = name.Split(' ');
        var end = 0;
        for (var i = 0; i < Math.Min(words.Length - 1, 6); i++)
        {
            if (CompanyEnds.Contains(words[i].TrimEnd(',')))
                end = i + 1;
            else if (end > 0)
                break;
        }
        // '[AMD]', '[AMD/ATI]' stand after the company and belong to it.
        if (end > 0 && end < words.Length - 1 && words[end] is ['[', .., ']'])
            end++;
        return end == 0 ? (words[0], words.Length > 1 ? string.Join(' ', words[1..]) : null) : (string.Join(' ', words[..end]), string.Join(' ', words[end..]));
    }
}
