using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Inventory.Tests.Profiles;

public sealed class ShippedProfilesTests
{
    public static TheoryData<string> All => new(ProfileCatalog.Shipped.Profiles.Select(p => p.Name));

    [Fact]
    public void The_catalog_has_the_captured_machines_and_the_hand_written_ones() =>
        Assert.Equal(
            ["connectx-5", "dual-82576", "gpu-node", "numa", "nvme-vf", "sriov", "switch", "x540", "x710-dual-port"], ProfileCatalog.Shipped.Profiles.Select(p => p.Name));

    [Fact]
    public void An_unknown_name_finds_nothing() => Assert.Null(ProfileCatalog.Shipped.Find("toaster"));

    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void A_captured_profile_is_its_capture_byte_for_byte(string name)
    {
        var profile = ProfileCatalog.Shipped.Find(name)!.Hardware;
        var capture = new Capture(name).Read();

        Assert.Equal(capture.ConfigurationSpaces.Keys.Order(), profile.ConfigurationSpaces.Keys.Order());
        Assert.All(capture.ConfigurationSpaces, c => Assert.Equal(c.Value.ToArray(), profile.ConfigurationSpaces[c.Key].ToArray()));
        Assert.Equal(capture.Inventory.Functions.Select(Shown), profile.Inventory.Functions.Select(Shown));
        Assert.Empty(profile.Synthesized);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_profile_reads_without_a_warning_and_agrees_with_the_rules(string name)
    {
        var profile = ProfileCatalog.Shipped.Find(name)!;

        Assert.DoesNotContain(profile.Hardware.Warnings, w => !w.Message.Contains("IVRS", StringComparison.Ordinal));
        Assert.Empty(profile.Hardware.Grouping.Differences);
        Assert.Empty(profile.Hardware.Synthesized);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Every_profile_is_a_server_that_can_lend_virtual_functions(string name)
    {
        var profile = ProfileCatalog.Shipped.Find(name)!;
        var inventory = profile.Hardware.Inventory;
        var criticalGroups = inventory.Functions.Where(f => profile.HostCritical.Contains(f.Address)).Select(f => f.IommuGroup).ToHashSet();

        Assert.True(inventory.Capacity.Vcpus >= 64 && inventory.Capacity.MemoryMiB >= 256 * 1024);
        Assert.Equal(inventory.Capacity.Vcpus, inventory.Capacity.Cells.Sum(c => c.Cpus));
        Assert.NotEmpty(profile.HostCritical);
        Assert.All(inventory.Functions.Where(f => profile.Assignable.Contains(f.Address)), f =>
        {
            Assert.Equal(PciKind.Endpoint, f.Kind);
            Assert.NotEmpty(f.Reset);
            Assert.DoesNotContain(f.IommuGroup, criticalGroups);
        });
        Assert.All(inventory.Functions.Where(f => f.Function == FunctionKind.Virtual), f =>
        {
            Assert.NotNull(f.IommuGroup);
            Assert.Contains(ResetMethod.Flr, f.Reset);
            Assert.DoesNotContain(f.IommuGroup, criticalGroups);
        });
    }

    [Fact]
    public void The_functions_of_both_ports_of_an_82576_interleave_and_are_each_alone_in_their_group()
    {
        var functions = ProfileCatalog.Shipped.Find("dual-82576")!.Hardware.Inventory.Functions;
        var physical = functions.Where(f => f.Function == FunctionKind.Physical).ToList();
        var made = functions.Where(f => f.Function == FunctionKind.Virtual).ToList();

        Assert.Equal(4, physical.Count);
        Assert.Equal(physical.Sum(p => p.Sriov!.VfCount), made.Count);
        Assert.All(made, m => Assert.Equal(m.PhysicalFunction!.Value.Function, m.Address.Function % 2));
        Assert.All(made, m => Assert.Single(functions, f => f.IommuGroup == m.IommuGroup));
    }

    [Fact]
    public void Virtual_functions_with_high_routing_ids_stand_on_the_next_bus()
    {
        var functions = ProfileCatalog.Shipped.Find("x710-dual-port")!.Hardware.Inventory.Functions;
        var port1 = functions.First(f => f is { Function: FunctionKind.Physical, Address.Function: 1 });
        var first = functions.First(f => f.PhysicalFunction == port1.Address);

        Assert.Equal(port1.Address.RoutingId + port1.Sriov!.FirstVfOffset, first.Address.RoutingId);
        Assert.Equal(port1.Parent, first.Parent);
        Assert.Equal((port1.VendorId, (ushort)0x154c), (first.VendorId, first.DeviceId));
    }

    [Fact]
    public void Accelerators_behind_a_switch_with_acs_have_groups_of_their_own_and_the_iommu_has_none()
    {
        var profile = ProfileCatalog.Shipped.Find("gpu-node")!;
        var functions = profile.Hardware.Inventory.Functions;
        var accelerators = functions.Where(f => f.ClassCode >> 8 == 0x0302).ToList();

        Assert.Equal(4, accelerators.Count);
        Assert.All(accelerators, a => Assert.Single(functions, f => f.IommuGroup == a.IommuGroup));
        Assert.All(functions.Where(f => f.ClassCode >> 8 == 0x0806), f => Assert.Null(f.IommuGroup));
        Assert.All(accelerators, a => Assert.Contains(a.Address, profile.Assignable));
    }

    [Fact]
    public void The_state_of_a_connectx_6s_virtual_functions_can_travel_and_that_of_no_other()
    {
        var travelling = ProfileCatalog.Shipped.Profiles.SelectMany(p => p.Hardware.Inventory.Functions).Where(f => f.MigrationFirmware is not null).ToList();

        Assert.Equal(32, travelling.Count);
        Assert.All(travelling, f => Assert.Equal((FunctionKind.Virtual, 0x101e), (f.Function, f.DeviceId)));
    }

    private static string Shown(PciFunction f) =>
        $"{f with { Reset = [] }} reset={string.Join(' ', f.Reset)}";
}
