using System.Globalization;

namespace ControlPlane.Hypervisor.Emulated.Faults;

/// <summary>Durations as labels write them: <c>250ms</c>, <c>5s</c>, <c>2m</c>.</summary>
internal static class Durations
{
    public static TimeSpan? Parse(string? text)
    {
        if (text is null)
            return null;
        var digits = text.TakeWhile(c => char.IsAsciiDigit(c) || c == '.').Count();
        if (!double.TryParse(text.AsSpan(0, digits), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
            return null;
        double? milliseconds = text[digits..] switch
        {
            "ms" => number,
            "s" => number * 1000,
            "m" => number * 60_000,
            _ => null,
        };
        // A day is more than any emulated delay; beyond it a label is a slip of the pen.
        return milliseconds is { } value and <= 86_400_000 ? TimeSpan.FromMilliseconds(value) : null;
    }
}
