using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>What all hosts of one profile share: descriptions, configuration images, and how virtual functions look.</summary>
internal sealed class MachineBlueprint
{
    /// <summary>
    /// Drivers that Linux binds to virtual functions of well-known NICs; one that a description shows comes first. A function whose driver
    /// is neither here nor there stays unbound, which is right as well: a guest's VFIO takes it as it is.
    /// </summary>
    private static readonly Dictionary<(ushort Vendor, ushort Device), string> KnownVfDrivers = new()
    {
        [(0x8086, 0x10ca)] = "igbvf", [(0x8086, 0x1520)] = "igbvf",
        [(0x8086, 0x10ed)] = "ixgbevf", [(0x8086, 0x1515)] = "ixgbevf", [(0x8086, 0x1565)] = "ixgbevf",
        [(0x8086, 0x154c)] = "iavf", [(0x8086, 0x1889)] = "iavf",
        [(0x15b3, 0x1014)] = "mlx5_core", [(0x15b3, 0x1016)] = "mlx5_core", [(0x15b3, 0x1018)] = "mlx5_core",
        [(0x15b3, 0x101a)] = "mlx5_core", [(0x15b3, 0x101e)] = "mlx5_core",
    };

    private readonly Dictionary<PciAddress, (ReadOnlyMemory<byte> Bytes, CapabilityMap Map)> images = [];
    private readonly Dictionary<PciAddress, VirtualFunctionImage> virtualImages = [];

    public MachineBlueprint(HostProfile profile)
    {
        Profile = profile;
        var hardware = profile.Hardware;
        foreach (var function in hardware.Inventory.Functions)
        {
            var bytes = hardware.ConfigurationSpaces.GetValueOrDefault(function.Address);
            images[function.Address] = (bytes, CapabilityMap.Of(bytes));
        }
        foreach (var physical in hardware.Inventory.Functions.Where(f => f.Sriov is not null))
            virtualImages[physical.Address] = LookOf(physical);
    }

    public HostProfile Profile { get; }

    public HostInventory Inventory => Profile.Hardware.Inventory;

    public ConfigSpace NewConfig(PciFunction function)
    {
        var (bytes, map) = images[function.Address];
        return new ConfigSpace(bytes, map);
    }

    public VirtualFunctionImage VirtualImageOf(PciAddress physical) => virtualImages[physical];

    /// <summary>
    /// True when the path from the physical function to the root keeps its functions apart, so that each new virtual function is an IOMMU
    /// group of its own; otherwise they join the physical function's group.
    /// </summary>
    public bool IsolatesVirtualFunctions(PciFunction physical)
    {
        var functions = Inventory.Functions;
        if (functions.FirstOrDefault(f => f.PhysicalFunction == physical.Address) is { } described)
            return described.IommuGroup != physical.IommuGroup;
        return !functions.Any(f => f.IommuGroup == physical.IommuGroup && f.Address.WithFunction(0) != physical.Address.WithFunction(0));
    }

    private VirtualFunctionImage LookOf(PciFunction physical)
    {
        var functions = Inventory.Functions;
        if (functions.FirstOrDefault(f => f.PhysicalFunction == physical.Address) is { } described)
            return VirtualFunctionImage.Like(described, images[described.Address].Bytes);
        var id = (physical.VendorId, physical.Sriov!.VfDeviceId);
        var driver = functions.FirstOrDefault(f => (f.VendorId, f.DeviceId) == id)?.Driver ?? KnownVfDrivers.GetValueOrDefault(id);
        return VirtualFunctionImage.For(physical, NewConfig(physical), driver);
    }
}
