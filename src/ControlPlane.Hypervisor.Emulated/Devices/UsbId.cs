using System.Globalization;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>What a USB device is, as <c>lsusb</c> writes it: <c>vendor:product</c>, four hexadecimal digits each.</summary>
internal readonly record struct UsbId(ushort Vendor, ushort Product)
{
    /// <summary>Null when the text is none.</summary>
    public static UsbId? Parse(string? text) =>
        text is { Length: 9 } && text[4] == ':' && Number(text[..4]) is { } vendor && Number(text[5..]) is { } product ? new UsbId(vendor, product) : null;

    /// <summary>A list with commas; what cannot be read is left out.</summary>
    public static IReadOnlyList<UsbId> ParseList(string? text) =>
        [.. (text ?? "").Split(',', StringSplitOptions.TrimEntries).Select(Parse).OfType<UsbId>()];

    /// <inheritdoc/>
    public override string ToString() => $"{Vendor:x4}:{Product:x4}";

    private static ushort? Number(string text) =>
        ushort.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number) ? number : null;
}
