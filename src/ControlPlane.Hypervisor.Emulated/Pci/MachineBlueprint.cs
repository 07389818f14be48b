using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.DeviceModels;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>What all hosts of one profile share: descriptions, configuration images, and how virtual functions look.</summary>
internal sealed class MachineBlueprint
{
    private readonly Dictionary<PciAddress, (ReadOnlyMemory<byte> Bytes, CapabilityMap Map, IReadOnlyList<uint>? BarMasks)> images = [];
    private readonly Dictionary<PciAddress, VirtualFunctionImage> virtualImages = [];

    public MachineBlueprint(HostProfile profile)
    {
        Profile = profile;
        var hardware = profile.Hardware;
        foreach (var function in hardware.Inventory.Functions)
        {
            var bytes = hardware.ConfigurationSpaces.GetValueOrDefault(function.Address);
            images[function.Address] = (bytes, CapabilityMap.Of(bytes), ModelOf(function) is { } model ? BarSizing.MasksOf(model, bytes) : null);
        }
        foreach (var physical in hardware.Inventory.Functions.Where(f => f.Sriov is not null))
            virtualImages[physical.Address] = LookOf(physical);
    }

    public HostProfile Profile { get; }

    public HostInventory Inventory => Profile.Hardware.Inventory;

    public ConfigSpace NewConfig(PciFunction function)
    {
        var (bytes, map, masks) = images[function.Address];
        return new ConfigSpace(bytes, map) { BarMasks = masks };
    }

    /// <summary>The device model of a function that is not virtual; null: none is known.</summary>
    public DeviceModel? ModelOf(PciFunction function) =>
        function.Function == FunctionKind.Virtual ? null : Profile.Models.Find(function.VendorId, function.DeviceId);

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
        // A driver that the description shows comes first. A function whose driver nobody knows stays unbound, which is right as well: a guest's
        // VFIO takes it as it is.
        var (vendor, device) = (physical.VendorId, physical.Sriov!.VfDeviceId);
        var look = (ModelOf(physical) ?? Profile.Models.FindMaker(vendor, device))?.Sriov;
        var driver = functions.FirstOrDefault(f => (f.VendorId, f.DeviceId) == (vendor, device))?.Driver ?? look?.Driver;
        return VirtualFunctionImage.For(physical, images[physical.Address].Bytes, look, driver);
    }
}
