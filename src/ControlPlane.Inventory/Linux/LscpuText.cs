using System.Globalization;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;

namespace ControlPlane.Inventory.Linux;

/// <summary>What lscpu says of the processors.</summary>
/// <param name="Cpus">Logical CPUs that are on line.</param>
/// <param name="CpusByNode">Empty where the machine is not NUMA.</param>
internal sealed record LscpuText(int Cpus, IReadOnlyDictionary<int, int> CpusByNode, CpuModel Model, IReadOnlyList<InventoryWarning> Warnings)
{
    internal const string Source = "lscpu";

    /// <summary>The most CPUs a machine can have here; the kernel's own limit on x86 is 8192.</summary>
    private const int MostCpus = 65_536;

    private const int MostNodes = 1024;

    public static Outcome<LscpuText> Parse(string text)
    {
        if (TextLimits.Check(Source, text) is { } tooLong)
            return tooLong;
        var warnings = new WarningList(Source);
        var values = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var nodes = new SortedDictionary<int, int>();
        var lines = new TextLines(text);
        while (lines.MoveNext())
        {
            var colon = lines.Current.IndexOf(':');
            if (colon < 0)
            {
                if (!lines.Current.IsWhiteSpace())
                    warnings.Add(lines.Number, $"{WarningList.Quote(lines.Current)} is no 'name: value'; the line is left out");
                continue;
            }
            var name = lines.Current[..colon].Trim();
            var value = lines.Current[(colon + 1)..].Trim();
            if (NodeOf(name) is not { } node)
                values.TryAdd(name.ToString(), value.ToString());
            else if (nodes.Count < MostNodes && CountCpus(value) is { } count)
                nodes[node] = count;
            else
                warnings.Add(lines.Number, $"{WarningList.Quote(value)} is no list of CPUs; the node is left out");
        }
        return Build(values, nodes, warnings);
    }

    private static LscpuText Build(Dictionary<string, string> values, SortedDictionary<int, int> nodes, WarningList warnings)
    {
        var total = values.TryGetValue("CPU(s)", out var text) && int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var all)
            ? Math.Min(all, MostCpus)
            : 0;
        var online = values.TryGetValue("On-line CPU(s) list", out var list) ? CountCpus(list) ?? total : total;
        if (online == 0)
            online = nodes.Values.Sum();
        if (online == 0)
            warnings.Add(null, "says nothing of how many CPUs there are");
        else if (nodes.Count > 0 && nodes.Values.Sum() != online)
            warnings.Add(null, $"has {online} CPUs on line and {nodes.Values.Sum()} in its NUMA nodes; the nodes count");
        var cpus = nodes.Values.Sum() is > 0 and var inNodes ? inNodes : online;
        var flags = values.GetValueOrDefault("Flags", "").Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct().Order(StringComparer.Ordinal);
        var model = new CpuModel(VendorName(values.GetValueOrDefault("Vendor ID", "")), values.GetValueOrDefault("Model name", ""), [.. flags]);
        return new LscpuText(cpus, nodes, model, warnings.ToList());
    }

    /// <summary><c>NUMA node0 CPU(s)</c> gives 0.</summary>
    private static int? NodeOf(ReadOnlySpan<char> name)
    {
        const string start = "NUMA node", end = " CPU(s)";
        return name.StartsWith(start, StringComparison.Ordinal) && name.EndsWith(end, StringComparison.Ordinal) && name.Length > start.Length + end.Length
            && int.TryParse(name[start.Length..^end.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var node) && node < MostNodes
                ? node
                : null;
    }

    /// <summary>The kernel's list format, <c>0-15,32-47</c>; an empty list is a node with memory only.</summary>
    private static int? CountCpus(ReadOnlySpan<char> list)
    {
        var count = 0L;
        foreach (var range in list.Split(','))
        {
            var part = list[range].Trim();
            if (part.IsEmpty)
                continue;
            var dash = part.IndexOf('-');
            var first = dash < 0 ? part : part[..dash];
            var last = dash < 0 ? part : part[(dash + 1)..];
            if (!int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var from)
                || !int.TryParse(last, NumberStyles.None, CultureInfo.InvariantCulture, out var to) || to < from || to >= MostCpus)
                return null;
            count += to - from + 1;
        }
        return count <= MostCpus ? (int)count : null;
    }

    /// <summary>libvirt's word for the vendor, so that hosts compare however they were described.</summary>
    private static string VendorName(string id) => id switch
    {
        "GenuineIntel" => "Intel",
        "AuthenticAMD" => "AMD",
        "HygonGenuine" => "Hygon",
        _ => id,
    };
}
