using System.Text.RegularExpressions;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Tests.Grouping;

namespace ControlPlane.Inventory.Tests.Reading;

/// <summary>The same machine as different calls of lspci print it.</summary>
public sealed partial class DumpVariantsTests
{
    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void Words_and_bytes_say_the_same(string name)
    {
        var capture = new Capture(name);
        var words = Capture.Read(new InventoryTexts(WithoutBytes(capture.Lspci)));
        var bytes = Capture.Read(new InventoryTexts(CapturedGroupsTests.HexOnly(capture.Lspci)));

        Assert.Equal(bytes.Inventory.Functions.Select(Hardware), words.Inventory.Functions.Select(Hardware));
    }

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void What_is_made_of_words_reads_back_as_the_words_said(string name)
    {
        var words = Capture.Read(new InventoryTexts(WithoutBytes(new Capture(name).Lspci)));
        var again = Capture.Read(new InventoryTexts(Machine.Print(words.ConfigurationSpaces.OrderBy(s => s.Key).Select(s => KeyValuePair.Create(s.Key, s.Value.ToArray())))));

        Assert.Equal(words.Inventory.Functions.Count, words.Synthesized.Count);
        Assert.Equal(words.Inventory.Functions.Select(Hardware), again.Inventory.Functions.Select(Hardware));
    }

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void With_256_bytes_the_words_give_the_rest_and_the_groups_are_the_kernels(string name)
    {
        var capture = new Capture(name);
        var description = Capture.Read(new InventoryTexts(WithoutGroups(FirstBytes(capture.Lspci, 256))));

        Assert.Equal(capture.ShownGroups.Partition(), description.Grouping.Computed.Partition());
        Assert.Equal(capture.Read().Inventory.Functions.Select(Hardware), description.Inventory.Functions.Select(Hardware));
    }

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void With_256_bytes_and_no_words_groups_are_never_smaller_than_the_kernels(string name)
    {
        var capture = new Capture(name);
        var description = Capture.Read(new InventoryTexts(FirstBytes(CapturedGroupsTests.HexOnly(capture.Lspci), 256)));

        AssertNoneIsSplit(capture, description);
        Assert.Contains(description.Warnings, w => w.Message.Contains("extended capabilities", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void Without_privileges_there_are_64_bytes_and_groups_are_never_smaller_than_the_kernels(string name)
    {
        var capture = new Capture(name);
        var dump = WithoutGroups(WithoutPrivileges(capture.Lspci));
        var computed = Capture.Read(new InventoryTexts(dump));
        var linked = Capture.Read(new InventoryTexts(dump, capture.IommuGroups));

        AssertNoneIsSplit(capture, computed);
        Assert.Contains(computed.Warnings, w => w.Message.Contains("without privileges", StringComparison.Ordinal));
        Assert.All(linked.Inventory.Functions, f => Assert.Equal(capture.ShownGroups[f.Address], f.IommuGroup));
        Assert.Equal(capture.Read().Inventory.Functions.Select(Ids), linked.Inventory.Functions.Select(Ids));
    }

    [Fact]
    public void Without_privileges_a_maker_is_known_by_the_virtual_functions_beside_it()
    {
        var description = Capture.Read(new InventoryTexts(WithoutPrivileges(new Capture("sriov").Lspci)));

        var physical = description.At("0000:04:00.0");
        Assert.Equal((FunctionKind.Physical, new SriovCapability(4, 4, 0x10ca, 128, 2)), (physical.Function, physical.Sriov));
        Assert.All(description.Inventory.Functions.Where(f => f.Function == FunctionKind.Virtual), f =>
        {
            Assert.Equal(physical.Address, f.PhysicalFunction);
            Assert.Equal([ResetMethod.Flr], f.Reset);
        });
        Assert.Contains(description.Warnings, w => w.Function == physical.Address && w.Message.Contains("no SR-IOV capability", StringComparison.Ordinal));
    }

    [Fact]
    public void Where_several_could_have_made_a_virtual_function_none_is_taken_for_its_maker()
    {
        var physical = new ConfigurationSpaceBuilder(0x8086, 0x1572, 0x020000, multifunction: true)
            .Express(new ExpressCapability(0, 2, ExpressPortType.Endpoint, false, true, null, false, false, 0, false, false)).Build();
        var dump = new Machine().Add("01:00.0", physical).Add("01:00.1", physical)
            .Add("01:02.0", VirtualFunctionSpace.Build(ConfigurationSpace.Decode(physical), 5)).ToString();

        var function = Capture.Read(new InventoryTexts(FirstBytes(dump, 64))).At("0000:01:02.0");

        Assert.Equal((FunctionKind.Virtual, null), (function.Function, function.PhysicalFunction));
    }

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void Line_ends_domains_and_a_byte_order_mark_change_nothing(string name)
    {
        var capture = new Capture(name);
        var plain = capture.Read();
        var dressed = Capture.Read(new InventoryTexts(
            "\uFEFF" + WithoutDomain(capture.Lspci).ReplaceLineEndings("\r\n"), capture.IommuGroups.ReplaceLineEndings("\r\n"),
            capture.Lscpu.ReplaceLineEndings("\r\n"), Sysfs: capture.Sysfs.ReplaceLineEndings("\r\n")));

        Assert.Equal(plain.Inventory.Functions.Select(f => $"{f} {string.Join(',', f.Reset)}"), dressed.Inventory.Functions.Select(f => $"{f} {string.Join(',', f.Reset)}"));
        Assert.Equal(plain.Warnings, dressed.Warnings);
    }

    [Fact]
    public void Names_come_from_words_and_without_them_from_the_table()
    {
        var capture = new Capture("sriov");
        var named = capture.Read().At("0000:04:00.0");
        var numbered = Capture.Read(new InventoryTexts(CapturedGroupsTests.HexOnly(capture.Lspci))).At("0000:04:00.0");

        Assert.Equal(("Ethernet controller", "Intel Corporation", "82576 Gigabit Network Connection"), (named.ClassName, named.VendorName, named.DeviceName));
        Assert.Equal((named.ClassName, named.VendorName, named.DeviceName), (numbered.ClassName, numbered.VendorName, numbered.DeviceName));
    }

    /// <summary>
    /// What the hardware is, without names and without what only the kernel knows. The words never say whether a port has a function
    /// level reset.
    /// </summary>
    private static string Hardware(PciFunction f) =>
        $"{f with { ClassName = null, VendorName = null, DeviceName = null, Driver = null, NumaNode = null, IommuGroup = null, Reset = [] }} "
        + string.Join(',', f.Reset.Where(r => !f.IsBridge || r != ResetMethod.Flr));

    private static string Ids(PciFunction f) =>
        $"{f.Address} {f.IsBridge} {f.ClassCode:x6} {f.VendorId:x4}:{f.DeviceId:x4} {f.Revision} {f.Parent} {f.Driver} {f.NumaNode}";

    /// <summary>Every group of the kernel lies within one of the computed ones.</summary>
    private static void AssertNoneIsSplit(Capture capture, HostDescription description) =>
        Assert.All(capture.ShownGroups.GroupBy(g => g.Value), group => Assert.Single(group.Select(g => description.Grouping.Computed[g.Key]).Distinct()));

    private static string WithoutBytes(string dump) => WithoutGroups(string.Join('\n', dump.Split('\n').Where(l => !HexLine().IsMatch(l))));

    private static string WithoutGroups(string dump) => string.Join('\n', dump.Split('\n').Where(l => !l.StartsWith("\tIOMMU group:", StringComparison.Ordinal)));

    internal static string FirstBytes(string dump, int count) =>
        string.Join('\n', dump.Split('\n').Where(l => !HexLine().IsMatch(l) || Convert.ToInt32(l[..l.IndexOf(':', StringComparison.Ordinal)], 16) < count));

    private static string WithoutDomain(string dump) => string.Join('\n', dump.Split('\n').Select(l => l.StartsWith("0000:", StringComparison.Ordinal) ? l[5..] : l));

    private static string WithoutPrivileges(string dump)
    {
        var denied = string.Join('\n', FirstBytes(dump, 64).Split('\n').Where(l => !l.StartsWith("\t\t", StringComparison.Ordinal)));
        return CapabilityLines().Replace(denied, "\tCapabilities: <access denied>\n");
    }

    [GeneratedRegex("^[0-9a-f]{2,3}: ")]
    private static partial Regex HexLine();

    [GeneratedRegex("(\tCapabilities: \\[[^\n]*\n)+")]
    private static partial Regex CapabilityLines();
}
