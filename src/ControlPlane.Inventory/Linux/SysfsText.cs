using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory.Linux;

/// <summary>What sysfs says of one function. Null: the line does not name it; an empty value is known to be nothing.</summary>
internal sealed record SysfsFunction(PciAddress Address, int Line)
{
    public int? NumaNode { get; init; }

    public string? Driver { get; init; }

    public IReadOnlyList<ResetMethod>? Reset { get; init; }

    /// <summary>False: the line has no <c>physfn=</c>; true with a null <see cref="PhysicalFunction"/>: the function is no virtual one.</summary>
    public bool SaysPhysicalFunction { get; init; }

    public PciAddress? PhysicalFunction { get; init; }
}

/// <summary>
/// One line per function, made of <c>/sys/bus/pci/devices</c>:
/// <c>0000:04:10.0 numa=-1 driver=igbvf reset=flr physfn=0000:04:00.0 parent=0000:00:04.0</c>. Values may have spaces (<c>reset=flr pm bus</c>).
/// </summary>
internal sealed record SysfsText(IReadOnlyDictionary<PciAddress, SysfsFunction> Functions, IReadOnlyList<InventoryWarning> Warnings)
{
    internal const string Source = "sysfs";

    public static Outcome<SysfsText> Parse(string text)
    {
        if (TextLimits.Check(Source, text) is { } tooLong)
            return tooLong;
        var warnings = new WarningList(Source);
        var functions = new Dictionary<PciAddress, SysfsFunction>();
        var lines = new TextLines(text);
        while (lines.MoveNext() && functions.Count < TextLimits.MostFunctions)
        {
            var line = lines.Current.Trim();
            if (line.IsEmpty || line[0] == '#')
                continue;
            var space = line.IndexOf(' ');
            if (!PciAddress.TryParse((space < 0 ? line : line[..space]).ToString(), out var address))
            {
                warnings.Add(lines.Number, $"{WarningList.Quote(line)} does not begin with a PCI address; the line is left out");
                continue;
            }
            var function = ParseValues(new SysfsFunction(address, lines.Number), space < 0 ? default : line[(space + 1)..], warnings);
            if (!functions.TryAdd(address, function))
                warnings.Add(lines.Number, $"was described before, in line {functions[address].Line}; the first description counts", address);
        }
        return new SysfsText(functions, warnings.ToList());
    }

    private static SysfsFunction ParseValues(SysfsFunction function, ReadOnlySpan<char> rest, WarningList warnings)
    {
        while (!rest.IsEmpty)
        {
            var end = EndOfValue(rest);
            var pair = rest[..end].Trim();
            rest = rest[end..].TrimStart();
            var equals = pair.IndexOf('=');
            if (equals < 0)
                warnings.Add(function.Line, $"{WarningList.Quote(pair)} is no 'name=value'; it is left out", function.Address);
            else
                function = Set(function, pair[..equals], pair[(equals + 1)..].Trim(), warnings);
        }
        return function;
    }

    /// <summary>A value ends before the next word that has an equals sign in it.</summary>
    private static int EndOfValue(ReadOnlySpan<char> text)
    {
        for (var at = text.IndexOf(' '); at >= 0;)
        {
            var word = text[at..].TrimStart();
            var end = word.IndexOf(' ');
            if ((end < 0 ? word : word[..end]).Contains('='))
                return at;
            if (end < 0)
                return text.Length;
            at = text.Length - word.Length + end;
        }
        return text.Length;
    }

    private static SysfsFunction Set(SysfsFunction function, ReadOnlySpan<char> name, ReadOnlySpan<char> value, WarningList warnings)
    {
        switch (name)
        {
            case "numa":
                return function with { NumaNode = int.TryParse(value, out var node) ? node : null };
            case "driver":
                return function with { Driver = value.ToString() };
            case "reset":
                return function with { Reset = ParseReset(function, value, warnings) };
            case "physfn":
                var known = PciAddress.TryParse(value.ToString(), out var physical);
                if (!known && !value.IsEmpty)
                    warnings.Add(function.Line, $"physfn {WarningList.Quote(value)} is no PCI address", function.Address);
                return function with { SaysPhysicalFunction = known || value.IsEmpty, PhysicalFunction = known ? physical : null };
            default:
                // The parent follows from the bridges' buses, and others may be added to the format.
                return function;
        }
    }

    private static List<ResetMethod> ParseReset(SysfsFunction function, ReadOnlySpan<char> value, WarningList warnings)
    {
        var methods = new List<ResetMethod>();
        foreach (var range in value.Split(' '))
        {
            var word = value[range].Trim();
            ResetMethod? method = word switch
            {
                "device_specific" => ResetMethod.DeviceSpecific,
                "acpi" => ResetMethod.Acpi,
                "flr" => ResetMethod.Flr,
                "af_flr" => ResetMethod.AfFlr,
                "pm" => ResetMethod.Pm,
                "bus" => ResetMethod.Bus,
                _ => null,
            };
            if (method is { } known && !methods.Contains(known))
                methods.Add(known);
            else if (method is null && !word.IsEmpty && word is not "cxl_bus")
                warnings.Add(function.Line, $"{WarningList.Quote(word)} is no reset method of the kernel's", function.Address);
        }
        return methods;
    }
}
