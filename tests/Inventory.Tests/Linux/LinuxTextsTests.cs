using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Linux;

namespace ControlPlane.Inventory.Tests.Linux;

public sealed class LinuxTextsTests
{
    [Theory]
    [InlineData("/sys/kernel/iommu_groups/13/devices/0000:04:00.0")]
    [InlineData("  ./13/devices/0000:04:00.0  ")]
    [InlineData("12345 0 lrwxrwxrwx 1 root root 0 Nov 21 /sys/kernel/iommu_groups/13/devices/0000:04:00.0 -> ../../../../devices/pci0000:00/0000:04:00.0")]
    public void A_link_reads_however_it_was_listed(string line)
    {
        var links = IommuGroupLinks.Parse(line).Value;

        Assert.Equal(KeyValuePair.Create(PciAddress.Parse("04:00.0"), 13), Assert.Single(links.GroupByFunction));
        Assert.Empty(links.Warnings);
    }

    [Fact]
    public void Links_on_one_line_folders_and_platform_devices_are_no_trouble()
    {
        var links = IommuGroupLinks.Parse(
            "/sys/kernel/iommu_groups\n/sys/kernel/iommu_groups/3\n/sys/kernel/iommu_groups/3/devices\n/sys/kernel/iommu_groups/3/type\n"
            + "/sys/kernel/iommu_groups/3/devices/0000:00:1f.0 /sys/kernel/iommu_groups/3/devices/0000:00:1f.2\n/sys/kernel/iommu_groups/4/devices/1e60000.usb\n").Value;

        Assert.Equal(["0000:00:1f.0 0000:00:1f.2"], links.GroupByFunction.Partition());
        Assert.Empty(links.Warnings);
    }

    [Theory]
    [InlineData("/sys/kernel/iommu_groups/13/devices/0000:04:0")]
    [InlineData("/sys/kernel/iommu_groups/x/devices/0000:04:00.0")]
    [InlineData("/sys/kernel/iommu_groups/99999999999/devices/0000:04:00.0")]
    [InlineData("nonsense")]
    public void A_broken_link_is_a_warning_with_its_line(string line)
    {
        var links = IommuGroupLinks.Parse($"/sys/kernel/iommu_groups/1/devices/0000:00:01.0\n{line}\n").Value;

        Assert.Single(links.GroupByFunction);
        Assert.Equal(2, Assert.Single(links.Warnings).Line);
    }

    [Fact]
    public void A_function_in_two_groups_is_in_the_first_and_said_to_be()
    {
        var links = IommuGroupLinks.Parse("1/devices/0000:00:01.0\n/2/devices/0000:00:01.0\n").Value;

        Assert.Equal(1, links.GroupByFunction[PciAddress.Parse("00:01.0")]);
        Assert.Single(links.Warnings);
    }

    [Fact]
    public void Lscpu_of_a_server_gives_its_nodes_and_its_vendor_in_libvirts_words()
    {
        var lscpu = LscpuText.Parse(
            "CPU(s):                128\nOn-line CPU(s) list:   0-127\nVendor ID:  AuthenticAMD\nModel name:  AMD EPYC 7542 32-Core Processor\n"
            + "NUMA node(s): 2\nNUMA node0 CPU(s): 0-31,64-95\nNUMA node1 CPU(s): 32-63,96-127\nNUMA node2 CPU(s):\nFlags: svm avx2 avx2\n").Value;

        Assert.Equal(128, lscpu.Cpus);
        Assert.Equal([KeyValuePair.Create(0, 64), KeyValuePair.Create(1, 64), KeyValuePair.Create(2, 0)], lscpu.CpusByNode.OrderBy(n => n.Key));
        Assert.Equal(("AMD", "AMD EPYC 7542 32-Core Processor"), (lscpu.Model.Vendor, lscpu.Model.Name));
        Assert.Equal(["avx2", "svm"], lscpu.Model.Features);
        Assert.Empty(lscpu.Warnings);
    }

    [Theory]
    [InlineData("NUMA node0 CPU(s): 7-3")]
    [InlineData("NUMA node0 CPU(s): 0-99999999999999999999")]
    [InlineData("NUMA node0 CPU(s): a,b")]
    [InlineData("this is not lscpu")]
    public void What_lscpu_cannot_mean_is_a_warning(string line)
    {
        var lscpu = LscpuText.Parse($"CPU(s): 4\n{line}\n").Value;

        Assert.Equal(4, lscpu.Cpus);
        Assert.Equal(2, Assert.Single(lscpu.Warnings).Line);
    }

    [Fact]
    public void Offline_processors_do_not_count() => Assert.Equal(3, LscpuText.Parse("CPU(s): 4\nOn-line CPU(s) list: 0,2-3\n").Value.Cpus);

    [Fact]
    public void A_line_of_sysfs_keeps_values_with_spaces_and_passes_over_names_it_does_not_know()
    {
        var function = SysfsText.Parse("# made by a script\n0000:04:10.0 numa=-1 driver=igbvf reset=device_specific acpi flr af_flr pm bus cxl_bus colour=light blue physfn=0000:04:00.0 parent=0000:00:04.0\n")
            .Value.Functions[PciAddress.Parse("04:10.0")];

        Assert.Equal((-1, "igbvf", PciAddress.Parse("04:00.0")), (function.NumaNode!.Value, function.Driver, function.PhysicalFunction!.Value));
        Assert.Equal(Enum.GetValues<ResetMethod>(), function.Reset!);
    }

    [Theory]
    [InlineData("04:10.0z numa=0")]
    [InlineData("0000:04:10.0 numa")]
    [InlineData("0000:04:10.0 reset=kick")]
    [InlineData("0000:04:10.0 physfn=there")]
    public void A_broken_line_of_sysfs_is_a_warning(string line) => Assert.Equal(1, Assert.Single(SysfsText.Parse(line).Value.Warnings).Line);
}
