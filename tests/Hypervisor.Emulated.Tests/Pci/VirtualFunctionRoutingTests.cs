using System.Text.RegularExpressions;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Tests.Pci;

/// <summary>Virtual functions stand where the hardware of the captures put them.</summary>
public sealed partial class VirtualFunctionRoutingTests
{
    [Theory]
    [InlineData("sriov", "0000:04:00.0", "82576 Virtual Function")]
    [InlineData("numa", "0000:21:00.0", "82576 Virtual Function")]
    [InlineData("numa", "0000:41:00.0", "82576 Virtual Function")]
    [InlineData("numa", "0000:42:00.0", "QEMU NVM Express Controller")]
    public void Addresses_from_offset_and_stride_are_those_that_lspci_shows(string capture, string physical, string name)
    {
        var maker = PciAddress.Parse(physical);
        var shown = AddressLine().Matches(Captures.Text(capture, "lspci.txt"))
            .Where(m => m.Groups[2].Value.Contains(name, StringComparison.Ordinal)).Select(m => PciAddress.Parse(m.Groups[1].Value))
            .Where(a => a.Bus == maker.Bus && a != maker).Order().ToArray();
        var tree = NewTree(Captures.Named(capture));
        var sriov = tree.SriovOf(maker)!;

        Assert.NotEmpty(shown);
        Assert.Equal(shown, sriov.Virtual.Select(f => f.Address));
        Assert.True(sriov.StoreNumVfs(0, _ => false).Succeeded);
        Assert.DoesNotContain(tree.Functions, f => shown.Contains(f.Address));
        Assert.True(sriov.StoreNumVfs(shown.Length, _ => false).Succeeded);
        Assert.Equal(shown, sriov.Virtual.Select(f => f.Address));
    }

    [Fact]
    public void Functions_beyond_those_captured_get_groups_of_their_own_where_the_path_isolates()
    {
        var tree = NewTree(Captures.Sriov);
        var physical = PciAddress.Parse("0000:04:00.0");
        var before = tree.Functions.Max(f => f.IommuGroup);
        tree.SriovOf(physical)!.StoreNumVfs(0, _ => false);
        tree.SriovOf(physical)!.StoreNumVfs(7, _ => false);

        var groups = tree.SriovOf(physical)!.Virtual.Select(f => f.IommuGroup!.Value).ToArray();

        Assert.Equal(7, groups.Distinct().Count());
        Assert.All(groups[4..], g => Assert.True(g > before));
        Assert.Equal([16, 17, 18, 19], groups[..4]);
    }

    [Fact]
    public void Functions_behind_a_port_without_ACS_join_the_group_of_their_maker()
    {
        var tree = NewTree(Captures.Switch);
        var physical = tree.Find(PciAddress.Parse("0000:04:00.0"))!;

        Assert.True(tree.SriovOf(physical.Address)!.StoreNumVfs(2, _ => false).Succeeded);

        Assert.All(tree.SriovOf(physical.Address)!.Virtual, f => Assert.Equal(physical.IommuGroup, f.IommuGroup));
    }

    [Fact] // Linux's sriov_enable: the bus of the last function must lie in the range of the bridge.
    public void Functions_whose_bus_lies_beyond_the_bridge_are_refused()
    {
        var physical = PciAddress.Parse("0000:04:00.0");
        var tree = NewTree(WithStride(Captures.Sriov, physical, stride: 64));
        var sriov = tree.SriovOf(physical)!;
        var last = tree.LastBusFor(tree.Find(physical)!);
        var fits = Enumerable.Range(1, sriov.TotalVfs).Last(n => ((physical.RoutingId + 128 + ((n - 1) * 64)) >> 8) <= last);
        Assert.True(fits < sriov.TotalVfs);

        Assert.True(sriov.StoreNumVfs(fits, _ => false).Succeeded);
        Assert.Equal("vf-count-busy", sriov.StoreNumVfs(fits + 1, _ => false).Fault?.Code);
        sriov.StoreNumVfs(0, _ => false);
        Assert.Equal("vf-bus-out-of-range", sriov.StoreNumVfs(fits + 1, _ => false).Fault?.Code);
        Assert.Empty(sriov.Virtual);
    }

    [Fact]
    public void Setting_VF_Enable_by_hand_makes_the_functions_that_NumVFs_says()
    {
        var tree = NewTree(Captures.Sriov);
        var physical = tree.Find(PciAddress.Parse("0000:04:00.0"))!;
        var at = physical.Config.Capabilities.Sriov;
        tree.SriovOf(physical.Address)!.StoreNumVfs(0, _ => false);

        tree.WriteConfig(physical, at + PciRegisters.SriovNumVfs, 2, 5);
        Assert.Empty(tree.SriovOf(physical.Address)!.Virtual);
        tree.WriteConfig(physical, at + PciRegisters.SriovControl, 2, PciRegisters.SriovVfEnable);
        Assert.Equal(5, tree.SriovOf(physical.Address)!.Virtual.Count);

        // NumVFs is locked while VF Enable is set.
        tree.WriteConfig(physical, at + PciRegisters.SriovNumVfs, 2, 2);
        Assert.Equal(5u, physical.Config.Read(at + PciRegisters.SriovNumVfs, 2));
    }

    private static PciTree NewTree(HostProfile profile) => new(new MachineBlueprint(profile));

    private static HostProfile WithStride(HostProfile profile, PciAddress physical, int stride)
    {
        var inventory = profile.Hardware.Inventory;
        var functions = inventory.Functions.Where(f => f.PhysicalFunction != physical)
            .Select(f => f.Address == physical ? f with { Sriov = f.Sriov! with { VfCount = 0, VfStride = stride } } : f).ToArray();
        return profile with { Hardware = profile.Hardware with { Inventory = inventory with { Functions = functions } } };
    }

    [GeneratedRegex(@"^([0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]) (.*)$", RegexOptions.Multiline | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex AddressLine();
}
