using ControlPlane.Domain.Pci;
using ControlPlane.Inventory;
using ControlPlane.Inventory.Profiles;
using ControlPlane.Inventory.Reading;

namespace ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

/// <summary>The captured machines of tests/data/hosts, as profiles to emulate; every other name is that of a profile that ships.</summary>
internal static class Captures
{
    public static HostProfile Sriov { get; } = Load("sriov");

    public static HostProfile Switch { get; } = Load("switch");

    public static HostProfile Numa { get; } = Load("numa");

    public static HostProfile Named(string name) => name switch
    {
        "sriov" => Sriov,
        "switch" => Switch,
        "numa" => Numa,
        _ => ProfileCatalog.Shipped.Find(name) ?? throw new ArgumentException($"There is no capture and no profile '{name}'.", nameof(name)),
    };

    public static string Text(string capture, string file) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "data", "hosts", capture, file));

    private static HostProfile Load(string name)
    {
        var read = HostDescriptionReader.Read(
            new InventoryTexts(Text(name, "lspci.txt"), Text(name, "iommu_groups.txt"), Text(name, "lscpu.txt"), Sysfs: Text(name, "sysfs.txt")));
        Assert.True(read.Succeeded, read.Fault?.ToString());
        return new HostProfile(
            name, name, read.Value, new HashSet<PciAddress>(), new HashSet<PciAddress>(), new Dictionary<PciAddress, string>());
    }
}
