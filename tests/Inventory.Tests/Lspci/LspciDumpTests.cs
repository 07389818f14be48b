using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Lspci;

namespace ControlPlane.Inventory.Tests.Lspci;

public sealed class LspciDumpTests
{
    private const string Row = "00: 86 80 c9 10 07 05 10 00 01 00 00 02 00 00 00 00";

    [Theory]
    [InlineData("0000:04:00.0 Ethernet controller [0200]: Intel Corporation 82576 [8086:10c9] (rev 01)", "0000:04:00.0", 0x0200, "Ethernet controller", "Intel Corporation 82576", 0x8086, 0x10c9, 1)]
    [InlineData("04:00.0 0200: 8086:10c9 (rev 01)", "0000:04:00.0", 0x0200, null, null, 0x8086, 0x10c9, 1)]
    [InlineData("04:00.0 Ethernet controller: Intel Corporation 82576", "0000:04:00.0", null, "Ethernet controller", "Intel Corporation 82576", null, null, null)]
    [InlineData("10000:e1:00.0 Non-Volatile memory controller [0108]: Intel Corporation Device [8086:0b60] (prog-if 02 [NVM Express])", "10000:e1:00.0", 0x0108, "Non-Volatile memory controller", "Intel Corporation Device", 0x8086, 0x0b60, null)]
    [InlineData("0000:00:1c.0/01:00.0 3D controller [0302]: NVIDIA Corporation GA100 [A100 PCIe 80GB] [10de:20b5] (rev a1)", "0000:01:00.0", 0x0302, "3D controller", "NVIDIA Corporation GA100 [A100 PCIe 80GB]", 0x10de, 0x20b5, 0xa1)]
    [InlineData("0001:00:1c.0/01:00.0 0302: 10de:20b5", "0001:01:00.0", 0x0302, null, null, 0x10de, 0x20b5, null)]
    [InlineData("3b:00.1 Memory controller [0580]: Advanced Micro Devices, Inc. [AMD] Thing: the second [1022:1234]", "0000:3b:00.1", 0x0580, "Memory controller", "Advanced Micro Devices, Inc. [AMD] Thing: the second", 0x1022, 0x1234, null)]
    [InlineData("04:00.0", "0000:04:00.0", null, null, null, null, null, null)]
    public void The_first_line_of_a_function_reads_in_every_form(
        string line, string address, int? classCode, string? className, string? name, int? vendor, int? device, int? revision)
    {
        var function = Assert.Single(Parse(line).Functions);

        Assert.Equal(
            (address, classCode, className, name, vendor, device, revision),
            (function.Address.ToString(), function.ClassCode, function.ClassName, function.Name, function.VendorId, (int?)function.DeviceId, (int?)function.Revision));
    }

    [Fact]
    public void A_line_that_is_nothing_is_a_warning_with_its_number()
    {
        var dump = Parse($"04:00.0 0200: 8086:10c9\n{Row}\npcilib: sysfs_read_vpd: read failed: Input/output error\n05:00.0 0200: 8086:10d3\n");

        Assert.Equal(2, dump.Functions.Count);
        var warning = Assert.Single(dump.Warnings);
        Assert.Equal(("lspci", 3), (warning.Source, warning.Line));
        Assert.Contains("pcilib", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Lines_before_the_first_function_belong_to_none()
    {
        var dump = Parse($"{Row}\n\tKernel driver in use: igb\n04:00.0 0200: 8086:10c9\n");

        Assert.Equal([1, 2], dump.Warnings.Select(w => w.Line));
        Assert.Null(Assert.Single(dump.Functions).Driver);
    }

    [Theory]
    [InlineData("20: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00", "jumps")]
    [InlineData("10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 zz", "no byte")]
    [InlineData("10: 00 00 00 00", "4 bytes instead of 16")]
    [InlineData("00: 86 80 c9 10 07 05 10 00 01 00 00 02 00 00 00 00", "jumps")]
    public void A_broken_row_ends_the_bytes_of_its_function_and_says_so_once(string row, string message)
    {
        var dump = Parse($"04:00.0 0200: 8086:10c9\n{Row}\n{row}\n{row}\n05:00.0 0200: 8086:10d3\n{Row}\n");

        var warning = Assert.Single(dump.Warnings);
        Assert.Equal((3, PciAddress.Parse("04:00.0")), (warning.Line, warning.Function));
        Assert.Contains(message, warning.Message, StringComparison.Ordinal);
        Assert.True(dump.Functions[0].Bytes.Length is >= 16 and < 32);
        Assert.Equal(16, dump.Functions[1].Bytes.Length);
    }

    [Fact]
    public void A_dump_cut_off_within_a_byte_keeps_the_whole_ones()
    {
        var dump = Parse("04:00.0 0200: 8086:10c9\n00: 86 80 c");

        Assert.Equal([0x86, 0x80], dump.Functions[0].Bytes.ToArray());
        Assert.Contains("cut off", Assert.Single(dump.Warnings).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_star_stands_for_rows_of_zeros()
    {
        var bytes = Parse($"04:00.0\n{Row}\n*\n40: 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n*\n100:\n").Functions[0].Bytes.ToArray();

        Assert.Equal(256, bytes.Length);
        Assert.Equal(1, bytes[0x40]);
        Assert.All(bytes[0x10..0x40], b => Assert.Equal(0, b));
    }

    [Fact]
    public void Of_two_descriptions_of_one_function_the_first_counts_and_takes_the_bytes_of_the_second()
    {
        var dump = Parse($"04:00.0 0200: 8086:10c9\n\tKernel driver in use: igb\n04:00.0 0200: 8086:ffff\n{Row}\n");

        var function = Assert.Single(dump.Functions);
        Assert.Equal((0x10c9, "igb", 16), ((int?)function.DeviceId, function.Driver, function.Bytes.Length));
        Assert.Equal(3, Assert.Single(dump.Warnings).Line);
    }

    [Fact]
    public void One_v_puts_node_and_group_among_the_flags()
    {
        var function = Parse("04:00.0 0200: 8086:10c9\n\tFlags: bus master, fast devsel, latency 0, IRQ 30, NUMA node 1, IOMMU group 12\n").Functions[0];

        Assert.Equal((1, 12), (function.NumaNode, function.IommuGroup));
    }

    [Theory]
    [InlineData("")]
    [InlineData("\n\n\n")]
    [InlineData("lspci: command not found")]
    [InlineData("\0\0\0\uD800")]
    public void A_text_without_a_function_is_a_fault_of_its_field(string text)
    {
        var fault = LspciDump.Parse(text).Fault!;

        Assert.Equal(FaultKind.Malformed, fault.Kind);
        Assert.Contains("lspci", fault.Errors.Keys);
    }

    [Fact]
    public void A_text_beyond_the_limit_is_a_fault_and_garbage_below_it_does_not_become_as_many_warnings()
    {
        Assert.Contains("lspci", LspciDump.Parse(new string('x', TextLimits.LongestText + 1)).Fault!.Errors.Keys);

        var dump = Parse("04:00.0\n" + string.Concat(Enumerable.Repeat("?\n", 100_000)));
        Assert.Equal(WarningList.Limit + 1, dump.Warnings.Count);
        Assert.Contains($"{100_000 - WarningList.Limit} more", dump.Warnings[^1].Message, StringComparison.Ordinal);
    }

    private static LspciDump Parse(string text)
    {
        var parsed = LspciDump.Parse(text);
        Assert.Null(parsed.Fault);
        return parsed.Value;
    }
}
