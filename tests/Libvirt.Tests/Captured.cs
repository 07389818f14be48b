namespace ControlPlane.Libvirt.Tests;

/// <summary>What a real libvirt printed: hosts with an emulated IOMMU, a network card with virtual functions and an NVMe device with them.</summary>
internal static class Captured
{
    public static string Text(string name) => File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "data", "libvirt", name));

    public static IReadOnlyList<string> NodeDevices() =>
        [.. Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "data", "libvirt"), "hv2-*.xml").Order(StringComparer.Ordinal).Select(File.ReadAllText)];
}
