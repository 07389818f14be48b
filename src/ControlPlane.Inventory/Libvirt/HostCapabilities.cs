using System.Globalization;
using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;

namespace ControlPlane.Inventory.Libvirt;

/// <summary>What <c>virsh capabilities</c> says of a host (<c>formatcaps.html</c>). Null: not said.</summary>
internal sealed record HostCapabilities(CpuModel? Cpu, HostCapacity? Capacity, bool? HasIommu, IReadOnlyList<InventoryWarning> Warnings)
{
    internal const string Source = "capabilities";

    /// <summary>The kernel's limit (MAX_NUMNODES); it also keeps the sums from overflowing.</summary>
    private const int MostCells = 1024;

    public static Outcome<HostCapabilities> Parse(string text)
    {
        if (!XmlTexts.Parse(Source, text).TryGet(out var documents, out var fault))
            return fault;
        var host = documents.FirstOrDefault(d => d.Name == "capabilities")?.Element("host");
        if (host is null)
            return Fault.Field(FaultKind.Malformed, Source, "has no <capabilities> with a <host>; it should be what 'virsh capabilities' prints.");
        var warnings = new WarningList(Source);
        var capacity = ReadCapacity(host.Element("topology")?.Element("cells"), warnings);
        if (capacity is null)
            warnings.Add(null, "has no topology with cells, so it does not say how much memory there is");
        var iommu = (string?)host.Element("iommu")?.Attribute("support") switch { "yes" => true, "no" => false, _ => (bool?)null };
        return new HostCapabilities(ReadCpu(host.Element("cpu")), capacity, iommu, warnings.ToList());
    }

    private static CpuModel? ReadCpu(XElement? cpu)
    {
        if ((string?)cpu?.Element("model") is not { Length: > 0 } model)
            return null;
        var features = cpu!.Elements("feature").Select(f => (string?)f.Attribute("name")).OfType<string>().Distinct().Order(StringComparer.Ordinal);
        return new CpuModel((string?)cpu.Element("vendor") ?? "", model, [.. features]);
    }

    private static HostCapacity? ReadCapacity(XElement? cells, WarningList warnings)
    {
        var list = new List<NumaCell>();
        var nodes = new HashSet<long>();
        foreach (var cell in cells?.Elements("cell") ?? [])
        {
            if (Number((string?)cell.Attribute("id")) is not { } node || node >= MostCells || !nodes.Add(node))
            {
                warnings.Add(null, "has a cell without an id of its own; it is left out");
                continue;
            }
            var kibibytes = Number(cell.Element("memory")?.Value) ?? 0;
            var cpus = cell.Element("cpus");
            var count = cpus?.Elements("cpu").Count() is > 0 and var listed ? listed : Number((string?)cpus?.Attribute("num")) ?? 0;
            list.Add(new NumaCell((int)node, (int)Math.Min(count, 65_536), kibibytes / 1024, Pages(cell, 2048), Pages(cell, 1024 * 1024)));
        }
        return list.Count == 0
            ? null
            : new HostCapacity(
                list.Sum(c => c.Cpus), list.Sum(c => c.MemoryMiB), list.Sum(c => c.Hugepages2MiB), list.Sum(c => c.Hugepages1GiB),
                [.. list.OrderBy(c => c.Node)]);
    }

    private static int Pages(XElement cell, int kibibytes) =>
        (int)Math.Min(
            Number(cell.Elements("pages").FirstOrDefault(p => Number((string?)p.Attribute("size")) == kibibytes)?.Value) ?? 0, int.MaxValue / MostCells);

    /// <summary>Bounded, so that no sum of them overflows: 2^50 KiB is more memory than any machine's.</summary>
    private static long? Number(string? text) =>
        long.TryParse(text?.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value <= 1L << 50 ? value : null;
}
