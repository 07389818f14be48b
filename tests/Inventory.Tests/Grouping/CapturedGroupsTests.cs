using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory.Tests.Grouping;

public sealed class CapturedGroupsTests
{
    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void Groups_by_the_rules_are_the_groups_of_the_kernel_down_to_their_numbers(string name)
    {
        var capture = new Capture(name);
        // Without the links and without the words of lspci, which name the group too: nothing but bytes is left to go by.
        var description = Capture.Read(new InventoryTexts(HexOnly(capture.Lspci)));

        var computed = description.Inventory.Functions.ToDictionary(f => f.Address, f => f.IommuGroup!.Value);

        Assert.Equal(capture.ShownGroups.OrderBy(g => g.Key), computed.OrderBy(g => g.Key));
    }

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void With_the_links_nothing_differs(string name)
    {
        var capture = new Capture(name);
        var description = capture.Read();

        Assert.True(description.Grouping.HostShowsGroups);
        Assert.Empty(description.Grouping.Differences);
        Assert.Equal(capture.ShownGroups.Partition(), description.Grouping.Computed.Partition());
        Assert.All(description.Inventory.Functions, f => Assert.Equal(capture.ShownGroups[f.Address], f.IommuGroup));
    }

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void Reset_methods_by_the_rules_are_those_of_the_kernel(string name)
    {
        var capture = new Capture(name);
        var shown = capture.SysfsValues("reset", "physfn");

        var description = capture.Read(t => t with { Sysfs = null });

        Assert.All(description.Inventory.Functions, f => Assert.Equal($"{f.Address} {shown[f.Address]}", $"{f.Address} {Words(f.Reset)}"));
    }

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void Parents_and_makers_by_the_rules_are_those_of_the_kernel(string name)
    {
        var capture = new Capture(name);
        var makers = capture.SysfsValues("physfn", "parent");
        var lines = capture.Sysfs.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToDictionary(l => PciAddress.Parse(l.Split(' ')[0]), l => l[(l.LastIndexOf('=') + 1)..]);

        var description = Capture.Read(new InventoryTexts(HexOnly(capture.Lspci)));

        Assert.All(description.Inventory.Functions, f =>
        {
            Assert.Equal(makers[f.Address], f.PhysicalFunction?.ToString() ?? "");
            Assert.Equal(lines[f.Address], f.Parent?.ToString() ?? $"pci{f.Address.Domain:x4}:{f.Address.Bus:x2}");
        });
    }

    internal static string HexOnly(string dump) =>
        string.Join('\n', dump.Split('\n').Select(l => l.StartsWith('\t') ? "" : l.Contains(" [", StringComparison.Ordinal) ? l[..l.IndexOf(' ', StringComparison.Ordinal)] : l));

    private static string Words(IEnumerable<ResetMethod> methods) => string.Join(' ', methods.Select(m => m switch
    {
        ResetMethod.DeviceSpecific => "device_specific",
        ResetMethod.AfFlr => "af_flr",
        _ => m.ToString().ToLowerInvariant(),
    }));
}
