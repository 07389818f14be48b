using System.Globalization;
using System.Numerics;
using ControlPlane.Inventory.Lspci;

namespace ControlPlane.Inventory.DeviceModels;

/// <summary>Reads the fields that models have in several places, and collects what is wrong with them.</summary>
internal sealed class ModelFields
{
    private static readonly (string Unit, long Bytes)[] Units = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("", 1)];

    private readonly List<string> problems = [];

    public IReadOnlyList<string> Problems => problems;

    /// <param name="belongs">What the field is and what to write there.</param>
    public void Check(bool holds, string field, string belongs)
    {
        if (!holds)
            problems.Add($"{field} {belongs}");
    }

    public (ushort Vendor, ushort Device) Ids(string field, string? text)
    {
        var ids = text is null ? null : LspciHeader.Ids(text);
        Check(ids is not null, field, $"'{text}' is no vendor and device; write 8086:10c9");
        return ids ?? default;
    }

    public ushort Id(string field, string? text)
    {
        var id = text is { Length: 4 } ? LspciHeader.Hex(text) : null;
        Check(id is not null, field, $"'{text}' is no device id; write four hexadecimal digits in quotes, such as \"10ca\"");
        return (ushort)(id ?? 0);
    }

    public int Class(string field, string? text)
    {
        var code = 0;
        var holds = text is { Length: 6 } && int.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out code);
        Check(holds, field, $"'{text}' is no class; write six hexadecimal digits in quotes, such as \"020000\"");
        return code;
    }

    public IReadOnlyList<ModelBar> Bars(string field, List<BarDocument>? documents)
    {
        var bars = new List<ModelBar>();
        var taken = new HashSet<int>();
        foreach (var (document, at) in (documents ?? []).Select((d, i) => (d, $"{field}[{i}]")))
        {
            var wide = document is { Io: false, Bits: 64 };
            var bytes = Size(document.Size);
            Check(document.Io ? document is { Bits: 0, Prefetchable: false } : document.Bits is 32 or 64, $"{at}.bits", "is 32 or 64 of memory; I/O ports have neither bits nor prefetchable");
            Check(
                bytes is { } size && BitOperations.IsPow2(size) && size >= (document.Io ? 4 : 16) && size <= (wide ? 1L << 40 : document.Io ? 256 : 1L << 31), $"{at}.size",
                $"'{document.Size}' is no size of such a register; write a power of two such as 16KiB");
            var fits = document.Index >= 0 && document.Index <= (wide ? 4 : 5) && taken.Add(document.Index) && (!wide || taken.Add(document.Index + 1));
            Check(fits, $"{at}.index", $"{document.Index} is no free place; write 0 to 5, of 64 bits it takes the next as well");
            if (fits && bytes is { } known)
                bars.Add(new ModelBar(document.Index, known, document.Io, wide, document.Prefetchable));
        }
        return bars;
    }

    public ModelMsix? Msix(string field, MsixDocument? document, IReadOnlyList<ModelBar> bars)
    {
        if (document is null)
            return null;
        Check(document.Vectors is >= 1 and <= 2048, $"{field}.vectors", "counts entries of the table: write 1 to 2048");
        var bar = bars.FirstOrDefault(b => b.Index == document.Bar && !b.IsIo);
        Check(bar is not null, $"{field}.bar", $"{document.Bar} is no memory of this function; write the index of one of its bars");
        var (tableBytes, pendingBytes) = (document.Vectors * 16L, (document.Vectors + 63) / 64 * 8L);
        var fits = document is { Table: >= 0, Pending: >= 0 } && (document.Table | document.Pending) % 8 == 0 && bar is not null
            && document.Table + tableBytes <= bar.Bytes && document.Pending + pendingBytes <= bar.Bytes
            && (document.Table + tableBytes <= document.Pending || document.Pending + pendingBytes <= document.Table);
        Check(bar is null || fits, field, "needs table and pending at multiples of 8 inside the bar that do not overlap (16 bytes a vector, and a bit)");
        return new ModelMsix(document.Vectors, document.Bar, (uint)document.Table, (uint)document.Pending);
    }

    public int? Ats(string field, AtsDocument? document)
    {
        Check(document is null || document.QueueDepth is >= 1 and <= 32, $"{field}.queueDepth", "is how many invalidations it takes at a time: write 1 to 32");
        return document?.QueueDepth;
    }

    private static long? Size(string? text)
    {
        var (unit, bytes) = Units.First(u => text is null || text.EndsWith(u.Unit, StringComparison.Ordinal));
        return text is not null && long.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= 1 << 20
            ? number * bytes
            : null;
    }
}
