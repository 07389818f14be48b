using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory;

/// <summary>Gathers the warnings about one text. Garbage of any length must not become as many warnings, so there is a limit.</summary>
internal sealed class WarningList(string source)
{
    public const int Limit = 500;

    private readonly List<InventoryWarning> warnings = [];
    private int dropped;

    public void Add(int? line, string message, PciAddress? function = null)
    {
        if (warnings.Count < Limit)
            warnings.Add(new InventoryWarning(source, line, function, function is { } about ? $"{about}: {message}" : message));
        else
            dropped++;
    }

    public IReadOnlyList<InventoryWarning> ToList() =>
        dropped == 0 ? warnings : [.. warnings, new InventoryWarning(source, null, null, $"and {dropped} more warnings")];

    /// <summary>A text as it stands in a message: short, and without what a terminal would act on.</summary>
    public static string Quote(ReadOnlySpan<char> text)
    {
        const int longest = 60;
        Span<char> shown = stackalloc char[Math.Min(text.Length, longest)];
        for (var i = 0; i < shown.Length; i++)
            shown[i] = char.IsControl(text[i]) || char.IsSurrogate(text[i]) ? '?' : text[i];
        return text.Length > longest ? $"'{shown}…'" : $"'{shown}'";
    }
}
