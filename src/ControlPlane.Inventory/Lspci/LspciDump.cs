using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory.Lspci;

/// <summary>
/// The output of lspci (pciutils 3): <c>lspci -Dvvvnnk -xxxx</c> at best, but also with hex only, without names or numbers, without the
/// domain, with fewer bytes, or cut off. What cannot be read becomes a warning with its line.
/// </summary>
/// <param name="Functions">In the order of the dump, each address once.</param>
public sealed record LspciDump(IReadOnlyList<LspciFunction> Functions, IReadOnlyList<InventoryWarning> Warnings)
{
    internal const string Source = "lspci";

    /// <summary>A fault (field <c>lspci</c>) only when the text is too long or has no function at all.</summary>
    public static Outcome<LspciDump> Parse(string text)
    {
        if (TextLimits.Check(Source, text) is { } tooLong)
            return tooLong;
        var reading = new Reading();
        var lines = new TextLines(text);
        while (lines.MoveNext())
            reading.Add(lines.Current, lines.Number, lines.CutOff);
        return reading.Finish(lines.Number);
    }

    /// <summary>The state between two lines: the function under way, and those that are complete.</summary>
    private sealed class Reading
    {
        private readonly WarningList warnings = new(Source);
        private readonly List<LspciFunction> functions = [];
        private readonly Dictionary<PciAddress, int> byAddress = [];
        private LspciFunction? current;
        private LspciDetails details = new();
        private LspciHex hex = new();
        private bool tooMany;

        public void Add(ReadOnlySpan<char> line, int number, bool cutOff)
        {
            if (line.IsWhiteSpace())
                return;
            // A byte order mark, and what a terminal's copy may put before a line.
            if (number == 1)
                line = line.TrimStart('\uFEFF');
            if (line[0] is '\t' or ' ')
                AddDetail(line, number);
            else if (LspciHex.IsHexLine(line))
                AddHex(line, number, cutOff);
            else if (line is "*" && current is not null)
                hex.SkipZeros();
            else if (LspciHeader.TryParse(line, number, out var function))
                Begin(function, number);
            else
                warnings.Add(number, $"{WarningList.Quote(line)} is neither a function nor part of one; the line is left out");
        }

        public Outcome<LspciDump> Finish(int lineCount)
        {
            End();
            if (functions.Count == 0)
                return Fault.Field(FaultKind.Malformed, Source, $"has no PCI function in its {lineCount} lines; it should be what 'lspci -Dvvvnnk -xxxx' prints.");
            return new LspciDump(functions, warnings.ToList());
        }

        private void AddDetail(ReadOnlySpan<char> line, int number)
        {
            if (current is null)
                warnings.Add(number, "the line belongs to no function; it is left out");
            else
                details.Add(line);
        }

        private void AddHex(ReadOnlySpan<char> line, int number, bool cutOff)
        {
            if (current is null)
                warnings.Add(number, "the bytes belong to no function; they are left out");
            else if (hex.Add(line, cutOff) is { } problem)
                warnings.Add(number, problem, current.Address);
        }

        private void Begin(LspciFunction function, int number)
        {
            End();
            if (functions.Count == TextLimits.MostFunctions)
            {
                if (!tooMany)
                    warnings.Add(number, $"more than {TextLimits.MostFunctions} functions; the rest is left out");
                tooMany = true;
                return;
            }
            current = function;
            (details, hex) = (new LspciDetails(), new LspciHex());
        }

        private void End()
        {
            if (current is null)
                return;
            var function = details.Apply(current) with { Bytes = hex.Bytes };
            current = null;
            if (byAddress.TryAdd(function.Address, functions.Count))
            {
                functions.Add(function);
                return;
            }
            // Two dumps in one text, one with words and one with bytes, complete each other; of two alike the first counts.
            var first = functions[byAddress[function.Address]];
            warnings.Add(function.Line, $"was described before, in line {first.Line}; the first description counts", function.Address);
            if (first.Bytes.Length < function.Bytes.Length)
                functions[byAddress[function.Address]] = first with { Bytes = function.Bytes };
        }
    }
}
