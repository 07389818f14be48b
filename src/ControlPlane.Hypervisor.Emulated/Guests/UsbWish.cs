using System.Globalization;
using ControlPlane.Hypervisor.Emulated.Devices;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>The USB device that a VM wants: <c>VENDOR:PRODUCT[@RATE]</c>.</summary>
/// <param name="TransfersPerSecond">Round trips that the guest's programs make; 50 when nothing is said.</param>
internal sealed record UsbWish(UsbId Id, int TransfersPerSecond)
{
    private const int UsualRate = 50;
    private const int HighestRate = 10_000;

    /// <summary>Null when the text cannot be read.</summary>
    public static UsbWish? Parse(string? text)
    {
        var parts = text?.Split('@') ?? [];
        if (parts.Length is 0 or > 2 || UsbId.Parse(parts[0]) is not { } id)
            return null;
        if (parts.Length == 1)
            return new UsbWish(id, UsualRate);
        return int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var rate) && rate is >= 1 and <= HighestRate ? new UsbWish(id, rate) : null;
    }
}
