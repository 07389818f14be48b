using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory.Tests.Libvirt;

public sealed class NodeDevicesTests
{
    [Fact]
    public void Documents_in_one_text_read_as_documents_in_many()
    {
        var many = new Capture("sriov").NodeDevices;
        var one = "<?xml version='1.0'?>\n" + string.Join("\n<?xml version='1.0' encoding='UTF-8'?>\n", many);
        var wrapped = $"<devices>{string.Concat(many)}</devices>";

        var expected = Capture.Read(new InventoryTexts(null, NodeDevices: many)).Inventory.Functions;

        foreach (var text in new[] { one, wrapped })
            Assert.Equal(expected.Select(Shown), Capture.Read(new InventoryTexts(null, NodeDevices: [text])).Inventory.Functions.Select(Shown));

        static string Shown(PciFunction f) => $"{f with { Reset = [] }} {string.Join(',', f.Reset)}";
    }

    [Fact]
    public void The_path_shows_the_parent_and_who_made_a_domain()
    {
        var description = Capture.Read(new InventoryTexts(null, NodeDevices:
        [
            Device("0", "0x5d", "5", "5", "0x010400", "/sys/devices/pci0000:5d/0000:5d:05.5", bridge: false),
            Device("65536", "0", "2", "0", "0x060400", "/sys/devices/pci0000:5d/0000:5d:05.5/pci10000:00/10000:00:02.0", bridge: true),
            Device("0x10000", "1", "0", "0", "0x010802", "/sys/devices/pci0000:5d/0000:5d:05.5/pci10000:00/10000:00:02.0/10000:01:00.0", bridge: false),
        ]));

        Assert.Equal(PciAddress.Parse("10000:00:02.0"), description.At("10000:01:00.0").Parent);
        Assert.Null(description.At("10000:00:02.0").Parent);
        Assert.Single(description.Grouping.Computed.Partition());
    }

    [Fact]
    public void A_document_without_an_address_is_left_out_with_a_warning()
    {
        var description = Capture.Read(new InventoryTexts("00:00.0 0600: 8086:29c0", NodeDevices: ["<device><name>pci_x</name><capability type='pci'><bus>1</bus></capability></device>"]));

        Assert.Contains(description.Warnings, w => w.Source == "nodeDevices[0]" && w.Message.Contains("pci_x", StringComparison.Ordinal));
    }

    [Fact]
    public void A_function_that_only_libvirt_knows_is_taken_and_said()
    {
        var capture = new Capture("sriov");
        var dump = capture.Lspci[..capture.Lspci.IndexOf("0000:08:00.0", StringComparison.Ordinal)];

        var description = Capture.Read(new InventoryTexts(dump, NodeDevices: capture.NodeDevices));

        Assert.Equal(15, description.At("0000:08:00.0").IommuGroup);
        Assert.Contains(description.Warnings, w => w.Source == "nodeDevices" && w.Function == PciAddress.Parse("0000:08:00.0"));
    }

    private static string Device(string domain, string bus, string slot, string function, string classCode, string path, bool bridge) =>
        $"""
        <device>
          <name>pci</name>
          <path>{path}</path>
          <capability type='pci'>
            <class>{classCode}</class><domain>{domain}</domain><bus>{bus}</bus><slot>{slot}</slot><function>{function}</function>
            <vendor id='0x8086'/><product id='0x201d'/>
            {(bridge ? "<capability type='pci-bridge'/>" : "")}
            <pci-express><link validity='cap' port='0' speed='8' width='4'/><link validity='sta' speed='8' width='4'/></pci-express>
          </capability>
        </device>
        """;
}
