using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Reading;

namespace ControlPlane.Inventory.Tests;

/// <summary>One captured machine of tests/data/hosts.</summary>
internal sealed record Capture(string Name)
{
    public static readonly string[] Names = ["sriov", "switch", "numa"];

    public static TheoryData<string> All => new(Names);

    public string Lspci => Text("lspci.txt");

    public string IommuGroups => Text("iommu_groups.txt");

    public string Lscpu => Text("lscpu.txt");

    public string Sysfs => Text("sysfs.txt");

    public string Capabilities => Text("capabilities.xml");

    public IReadOnlyList<string> NodeDevices =>
        [.. Directory.EnumerateFiles(Path.Combine(Folder, "nodedev")).Order(StringComparer.Ordinal).Select(File.ReadAllText)];

    public InventoryTexts Texts => new(Lspci, IommuGroups, Lscpu, Sysfs: Sysfs);

    private string Folder => Path.Combine(AppContext.BaseDirectory, "data", "hosts", Name);

    /// <summary>Group by function, read the plainest way there is.</summary>
    public Dictionary<PciAddress, int> ShownGroups =>
        IommuGroups.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split('/')).ToDictionary(p => PciAddress.Parse(p[^1]), p => int.Parse(p[^3]));

    /// <summary>One value of each line of sysfs.txt, up to the next name.</summary>
    public Dictionary<PciAddress, string> SysfsValues(string name, string nextName) =>
        Sysfs.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToDictionary(
            l => PciAddress.Parse(l[..l.IndexOf(' ', StringComparison.Ordinal)]),
            l => l[(l.IndexOf($" {name}=", StringComparison.Ordinal) + name.Length + 2)..l.IndexOf($" {nextName}=", StringComparison.Ordinal)].Trim());

    public HostDescription Read(Func<InventoryTexts, InventoryTexts>? change = null) => Read((change ?? (t => t))(Texts));

    public static HostDescription Read(InventoryTexts texts)
    {
        var read = HostDescriptionReader.Read(texts);
        Assert.Null(read.Fault);
        return read.Value;
    }

    private string Text(string file) => File.ReadAllText(Path.Combine(Folder, file));
}

internal static class DescriptionExtensions
{
    public static PciFunction At(this HostDescription description, string address) =>
        description.Inventory.Functions.Single(f => f.Address == PciAddress.Parse(address));

    /// <summary>Groups as sets of functions, each written as one sorted line: numbers do not matter.</summary>
    public static IEnumerable<string> Partition(this IEnumerable<KeyValuePair<PciAddress, int>> groups) =>
        groups.GroupBy(g => g.Value).Select(g => string.Join(' ', g.Select(m => m.Key).Order())).Order(StringComparer.Ordinal);
}
