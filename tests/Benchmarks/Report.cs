using System.Globalization;

namespace ControlPlane.Benchmarks;

/// <summary>One line of the report.</summary>
/// <param name="Name">What was measured, with its conditions.</param>
/// <param name="Value">The figure with its unit.</param>
/// <param name="Bound">What was promised; null for a line that only explains another.</param>
/// <param name="Holds">Whether the promise holds; null without one.</param>
internal sealed record Measurement(string Name, string Value, string? Bound = null, bool? Holds = null)
{
    public static Measurement AtMost(string name, double value, double bound, string unit, int digits = 1) =>
        new(name, Format(value, unit, digits), $"at most {Format(bound, unit, digits)}", value <= bound);

    public static Measurement AtLeast(string name, double value, double bound, string unit, int digits = 2) =>
        new(name, Format(value, unit, digits), $"at least {Format(bound, unit, digits)}", value >= bound);

    public static Measurement Plain(string name, double value, string unit, int digits = 1) => new(name, Format(value, unit, digits));

    private static string Format(double value, string unit, int digits) =>
        $"{value.ToString($"N{digits}", CultureInfo.InvariantCulture)}{(unit.Length > 0 ? " " : "")}{unit}";
}

/// <summary>Prints a benchmark's lines as a table.</summary>
internal static class Report
{
    /// <summary>Answers whether every promise holds.</summary>
    public static bool Print(string title, IReadOnlyList<Measurement> lines)
    {
        string[][] rows = [["", "measured", "bound", ""], .. lines.Select(line => new[]
        {
            line.Name, line.Value, line.Bound ?? "", line.Holds switch { true => "holds", false => "MISSED", null => "" },
        })];
        Console.WriteLine();
        Console.WriteLine($"## {title}");
        Table(rows, isNumber: column => column == 1);
        return lines.All(line => line.Holds != false);
    }

    /// <summary>Columns as wide as their widest cell; numbers to the right.</summary>
    public static void Table(IReadOnlyList<string[]> rows, Func<int, bool> isNumber)
    {
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        foreach (var row in rows)
            Console.WriteLine(string.Join("  ", row.Select((cell, column) => isNumber(column) ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]))).TrimEnd());
    }
}
