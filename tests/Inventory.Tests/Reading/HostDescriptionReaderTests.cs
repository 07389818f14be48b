using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Reading;

namespace ControlPlane.Inventory.Tests.Reading;

public sealed class HostDescriptionReaderTests
{
    [Theory]
    [MemberData(nameof(Capture.All), MemberType = typeof(Capture))]
    public void A_captured_machine_reads_with_no_warning_but_of_its_memory(string name)
    {
        var warning = Assert.Single(new Capture(name).Read().Warnings);

        Assert.Contains("memory", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Libvirts_xml_alone_gives_the_functions_and_groups_that_lspci_and_the_links_give()
    {
        var capture = new Capture("sriov");
        var libvirt = Capture.Read(new InventoryTexts(null, NodeDevices: capture.NodeDevices, Capabilities: capture.Capabilities));
        var lspci = capture.Read();

        Assert.Equal(lspci.Inventory.Functions.Select(Seen), libvirt.Inventory.Functions.Select(Seen));
        Assert.All(libvirt.Inventory.Functions.Where(f => f.Function != FunctionKind.Plain), f => Assert.Contains(ResetMethod.Flr, f.Reset));
        Assert.Equal("enp4s0", libvirt.NetworkInterfaces[PciAddress.Parse("0000:04:00.0")].Name);
        // libvirt shows what the driver allows (sriov_totalvfs), which the igb driver sets one below the hardware's eight.
        Assert.Equal(new SriovCapability(7, 4, 0x10ca, 128, 2), libvirt.At("0000:04:00.0").Sriov);

        static string Seen(PciFunction f) =>
            $"{f.Address} {f.IsBridge} {f.ClassCode:x6} {f.VendorId:x4}:{f.DeviceId:x4} {f.DeviceName} {f.Driver} {f.NumaNode} g{f.IommuGroup} {f.Parent} {f.Function} {f.PhysicalFunction}";
    }

    [Fact]
    public void Capacity_and_processor_come_from_libvirts_capabilities()
    {
        var capture = new Capture("sriov");

        var inventory = capture.Read(t => t with { Capabilities = capture.Capabilities }).Inventory;

        var cell = Assert.Single(inventory.Capacity.Cells);
        Assert.Equal((0, 2, 2020948 / 1024), (cell.Node, cell.Cpus, cell.MemoryMiB));
        Assert.Equal(("Intel", "Nehalem-v1"), (inventory.Cpu.Vendor, inventory.Cpu.Name));
        Assert.Equal(["ht", "hypervisor"], inventory.Cpu.Features);
    }

    [Fact]
    public void Without_capabilities_each_cpu_brings_its_share_of_memory_to_its_node()
    {
        var inventory = new Capture("numa").Read().Inventory;

        Assert.Equal([0, 1], inventory.Capacity.Cells.Select(c => c.Node));
        Assert.All(inventory.Capacity.Cells, c => Assert.Equal((2, 2L * CapacityRule.MemoryMiBPerCpu), (c.Cpus, c.MemoryMiB)));
        Assert.Equal(4, inventory.Capacity.Vcpus);
        Assert.Contains("sse4_2", inventory.Cpu.Features);
        Assert.Equal("Intel", inventory.Cpu.Vendor);
    }

    [Fact]
    public void Without_lscpu_a_server_is_assumed_and_said_to_be()
    {
        var description = new Capture("numa").Read(t => t with { Lscpu = null });

        Assert.Equal(CapacityRule.AssumedCpus, description.Inventory.Capacity.Vcpus);
        Assert.Equal([0, 1], description.Inventory.Capacity.Cells.Select(c => c.Node));
        Assert.Contains(description.Warnings, w => w.Message.Contains("how many CPUs", StringComparison.Ordinal));
    }

    [Fact]
    public void Groups_of_the_host_count_and_a_difference_to_the_rules_is_a_warning()
    {
        var capture = new Capture("sriov");
        var merged = capture.IommuGroups.Replace("/17/devices/0000:04:10.2", "/16/devices/0000:04:10.2", StringComparison.Ordinal);

        var description = capture.Read(t => t with { IommuGroups = merged });

        Assert.Equal(description.At("0000:04:10.0").IommuGroup, description.At("0000:04:10.2").IommuGroup);
        Assert.Equal(["0000:04:10.0", "0000:04:10.2"], description.Grouping.Differences.Select(d => d.Function.ToString()));
        Assert.Contains(description.Warnings, w => w.Function == PciAddress.Parse("0000:04:10.2") && w.Message.Contains("the host counts", StringComparison.Ordinal));
        Assert.Contains(description.Warnings, w => w.Source == "iommuGroups" && w.Message.Contains("the link counts", StringComparison.Ordinal));
    }

    [Fact]
    public void A_function_without_a_link_has_no_group_where_others_have_links()
    {
        var capture = new Capture("sriov");
        var without = string.Join('\n', capture.IommuGroups.Split('\n').Where(l => !l.EndsWith("0000:08:00.0", StringComparison.Ordinal)));

        var description = capture.Read(t => t with { IommuGroups = without });

        Assert.Null(description.At("0000:08:00.0").IommuGroup);
        Assert.Single(description.Grouping.Differences);
    }

    [Fact]
    public void A_host_that_says_it_has_no_iommu_has_no_groups()
    {
        var capture = new Capture("sriov");
        var capabilities = capture.Capabilities.Replace("<iommu support='yes'/>", "<iommu support='no'/>", StringComparison.Ordinal);

        var description = Capture.Read(new InventoryTexts(Grouping.CapturedGroupsTests.HexOnly(capture.Lspci), Capabilities: capabilities));

        Assert.All(description.Inventory.Functions, f => Assert.Null(f.IommuGroup));
    }

    [Fact]
    public void Sysfs_has_the_last_word_on_driver_node_and_reset()
    {
        var capture = new Capture("sriov");

        var function = capture.Read(t => t with { Sysfs = "0000:04:00.0 numa=1 driver=vfio-pci reset=bus physfn= parent=0000:00:04.0\n" }).At("0000:04:00.0");

        Assert.Equal(("vfio-pci", 1), (function.Driver, function.NumaNode));
        Assert.Equal([ResetMethod.Bus], function.Reset);
    }

    [Fact]
    public void Where_words_and_bytes_disagree_the_bytes_count_and_a_warning_says_so()
    {
        var capture = new Capture("sriov");
        var dump = capture.Lspci.Replace("Connection [8086:10c9]", "Connection [8086:1234]", StringComparison.Ordinal)
            .Replace("Total VFs: 8", "Total VFs: 9", StringComparison.Ordinal)
            .Replace("Bus: primary=00, secondary=08", "Bus: primary=00, secondary=09", StringComparison.Ordinal);

        var description = capture.Read(t => t with { Lspci = dump });

        Assert.Equal((0x10c9, 8), ((int)description.At("0000:04:00.0").DeviceId, description.At("0000:04:00.0").Sriov!.TotalVfs));
        Assert.Equal(PciAddress.Parse("0000:00:04.3"), description.At("0000:08:00.0").Parent);
        Assert.Equal(3, description.Warnings.Count(w => w.Message.Contains("the bytes count", StringComparison.Ordinal) && w.Line is not null));
    }

    [Fact]
    public void A_function_with_a_virtual_functions_routing_id_and_anothers_ids_stays_itself()
    {
        var physical = new ConfigurationSpaceBuilder(0x8086, 0x10c9, 0x020000).Express(new ExpressCapability(0, 2, ExpressPortType.Endpoint, false, true, null, false, false, 0, false, false))
            .Sriov(new SriovRegisters(0, true, true, false, 2, 2, 2, 0, 1, 1, 0x10ca, 1, 1, new uint[6])).Build();
        var description = new Machine().Port("00:01.0", ExpressPortType.RootPort, 1, 1).Add("01:00.0", physical).Endpoint("01:00.1", 0x1000, 0x0097).Read();

        Assert.Equal(FunctionKind.Plain, description.At("0000:01:00.1").Function);
        Assert.Contains(description.Warnings, w => w.Message.Contains("another device", StringComparison.Ordinal));
        Assert.Contains(description.Warnings, w => w.Message.Contains("1 of them are not in the description", StringComparison.Ordinal));
    }

    [Fact]
    public void Buses_that_contradict_themselves_are_left_out_with_a_warning()
    {
        var description = new Machine().Port("05:00.0", ExpressPortType.RootPort, 3, 2).Endpoint("03:00.0").Read();

        Assert.Null(description.At("0000:03:00.0").Parent);
        Assert.Contains(description.Warnings, w => w.Function == PciAddress.Parse("05:00.0"));
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_text_that_cannot_be_read_is_a_fault_that_names_its_field(InventoryTexts texts, string field)
    {
        var fault = HostDescriptionReader.Read(texts).Fault!;

        Assert.Equal(FaultKind.Malformed, fault.Kind);
        Assert.Equal([field], fault.Errors.Keys);
        Assert.All(fault.Errors[field], m => Assert.NotEmpty(m));
    }

    public static TheoryData<InventoryTexts, string> Faults => new()
    {
        { new InventoryTexts(null), "lspci" },
        { new InventoryTexts("no device here"), "lspci" },
        { new InventoryTexts("00:00.0", new string('x', TextLimits.LongestText + 1)), "iommuGroups" },
        { new InventoryTexts("00:00.0", Lscpu: new string('x', TextLimits.LongestText + 1)), "lscpu" },
        { new InventoryTexts("00:00.0", Sysfs: new string('x', TextLimits.LongestText + 1)), "sysfs" },
        { new InventoryTexts("00:00.0", Capabilities: "<capabilities><host>"), "capabilities" },
        { new InventoryTexts("00:00.0", Capabilities: "<domain/>"), "capabilities" },
        { new InventoryTexts(null, NodeDevices: ["<device/>", "<device>"]), "nodeDevices[1]" },
        { new InventoryTexts(null, NodeDevices: ["<device><name>net</name></device>"]), "nodeDevices" },
        { new InventoryTexts(null, NodeDevices: ["<!DOCTYPE d [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><device><name>&x;</name></device>"]), "nodeDevices[0]" },
        { new InventoryTexts(null, NodeDevices: [string.Concat(Enumerable.Repeat("<device>", 100_000))]), "nodeDevices[0]" },
        { new InventoryTexts(null, NodeDevices: [$"<device {string.Concat(Enumerable.Range(0, 65).Select(i => $"a{i}='' "))}/>"]), "nodeDevices[0]" },
        { new InventoryTexts(null, NodeDevices: [$"<device a='{new string('x', 100_000)}'/>"]), "nodeDevices[0]" },
        { new InventoryTexts(null, NodeDevices: [$"<device/>{new string(' ', TextLimits.LongestText / 2)}", new string(' ', TextLimits.LongestText / 2)]), "nodeDevices" },
    };
}
