using System.Globalization;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>A table of text: the first column is to the left, figures are to the right.</summary>
internal sealed class TourTable(params string[] headings)
{
    private readonly List<string[]> rows = [headings];

    /// <summary>Numbers are grouped by thousands; everything else is written as it is.</summary>
    public void Add(params object[] cells) => rows.Add([.. cells.Select(Text)]);

    public void WriteTo(TextWriter output)
    {
        var widths = Enumerable.Range(0, headings.Length).Select(c => rows.Max(r => r[c].Length)).ToArray();
        foreach (var row in rows)
        {
            var cells = row.Select((cell, column) => column == 0 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]));
            output.WriteLine(string.Join("  ", cells).TrimEnd());
            if (ReferenceEquals(row, rows[0]))
                output.WriteLine(string.Join("  ", widths.Select(w => new string('-', w))));
        }
        output.WriteLine();
    }

    private static string Text(object cell) => cell switch
    {
        int or long => string.Format(CultureInfo.InvariantCulture, "{0:#,0}", cell),
        double number => number.ToString("#,0.##", CultureInfo.InvariantCulture),
        TimeSpan span => string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:#,0.#} ms"),
        _ => cell.ToString() ?? "",
    };
}
