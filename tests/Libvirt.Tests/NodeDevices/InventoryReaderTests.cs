using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using ControlPlane.Hypervisor.Libvirt.NodeDevices;

namespace ControlPlane.Libvirt.Tests.NodeDevices;

public sealed class InventoryReaderTests
{
    private static readonly PciAddress Physical = PciAddress.Parse("0000:04:00.0");
    private static readonly PciAddress Virtual = PciAddress.Parse("0000:04:10.2");

    [Fact]
    public void A_host_is_read_from_its_node_devices_and_capabilities()
    {
        var read = InventoryReader.Read(Captured.NodeDevices(), Captured.Text("capabilities-hv1.xml"));

        Assert.True(read.Succeeded, read.Fault?.ToString());
        var host = read.Value;
        Assert.Equal((2, 2020920 / 1024), (host.Capacity.Vcpus, host.Capacity.MemoryMiB));
        Assert.Equal("Nehalem-v1", host.Cpu.Name);
        var physical = host.Functions.Single(f => f.Address == Physical);
        Assert.Equal((FunctionKind.Physical, "igb", 13, 7), (physical.Function, physical.Driver, physical.IommuGroup, physical.Sriov?.TotalVfs));
        Assert.Equal((2.5, 1), (physical.Link?.SpeedGTs, physical.Link?.Width));
        var virtualFunction = host.Functions.Single(f => f.Address == Virtual);
        Assert.Equal((FunctionKind.Virtual, Physical, "igbvf", 18),
            (virtualFunction.Function, virtualFunction.PhysicalFunction, virtualFunction.Driver, virtualFunction.IommuGroup));
        Assert.NotEmpty(virtualFunction.Reset);
        Assert.Equal(PciKind.Bridge, host.Functions.Single(f => f.Address == PciAddress.Parse("0000:06:00.0")).Kind);
        Assert.Equal(
            host.Functions.Single(f => f.Address == PciAddress.Parse("0000:07:01.0")).IommuGroup, host.Functions.Single(f => f.Address == PciAddress.Parse("0000:07:02.0")).IommuGroup);
    }

    [Fact]
    public void One_function_is_looked_at_as_libvirt_shows_it()
    {
        var physical = NodeDeviceLook.Read(Captured.Text("hv2-pci_0000_04_00_0.xml"), Physical);
        Assert.Equal(("igb", true, 7, 4), (physical?.Driver, physical?.IsEndpoint, physical?.VfCountMax, physical?.VirtualFunctions.Count));

        var virtualFunction = NodeDeviceLook.Read(Captured.Text("hv2-pci_0000_04_10_2.xml"), Virtual);
        Assert.Equal((Physical, null), (virtualFunction?.PhysicalFunction, virtualFunction?.VfCountMax));
        Assert.False(NodeDeviceLook.Read(Captured.Text("hv2-pci_0000_06_00_0.xml"), PciAddress.Parse("0000:06:00.0"))?.IsEndpoint);
    }

    [Fact]
    public void A_host_with_KVM_runs_on_it_and_one_without_emulates() => Assert.Equal("qemu", HostTraits.FromCapabilities(Captured.Text("capabilities-hv1.xml"))?.DomainType);
}
