using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>
/// What every virtual function of one physical function looks like: its description, and its configuration space as the specification gives
/// it (PCIe base specification 9.3.4: ids read as all ones, base addresses as zero, PCI Express and ARI capabilities are there).
/// </summary>
internal sealed record VirtualFunctionImage(PciFunction Template, ReadOnlyMemory<byte> Bytes, CapabilityMap Capabilities)
{
    /// <summary>Of functions of which nothing is known: what a NIC's usually have.</summary>
    private static readonly ModelSriov Unknown = new(1, 0, [1], 1) { Msix = new ModelMsix(3, 3, 0, 0x2000) };

    /// <summary>Copies a virtual function that the description shows.</summary>
    public static VirtualFunctionImage Like(PciFunction described, ReadOnlyMemory<byte> bytes) => new(described, bytes, CapabilityMap.Of(bytes));

    /// <summary>Makes one for a physical function of which no virtual function was described.</summary>
    /// <param name="look">Of its model's virtual functions; null: no model is known.</param>
    public static VirtualFunctionImage For(PciFunction physical, ReadOnlyMemory<byte> physicalBytes, ModelSriov? look, string? driver)
    {
        var bytes = ModelSpace.BuildVirtual(look ?? Unknown, ConfigurationSpace.Decode(physicalBytes));
        var template = new PciFunction
        {
            Address = physical.Address,
            Kind = PciKind.Endpoint,
            ClassCode = physical.ClassCode,
            ClassName = physical.ClassName,
            VendorId = physical.VendorId,
            VendorName = physical.VendorName,
            DeviceId = physical.Sriov!.VfDeviceId,
            DeviceName = look?.Product is { } product ? product : physical.DeviceName is { } name ? $"{name} Virtual Function" : null,
            SubsystemVendorId = physical.SubsystemVendorId,
            SubsystemDeviceId = physical.SubsystemDeviceId,
            Revision = physical.Revision,
            Driver = driver,
            NumaNode = physical.NumaNode,
            Parent = physical.Parent,
            Function = FunctionKind.Virtual,
            PhysicalFunction = physical.Address,
            Link = physical.Link,
            Interrupts = new PciInterrupts(0, (look ?? Unknown).Msix?.Vectors ?? 0),
            Reset = [ResetMethod.Flr],
        };
        return new VirtualFunctionImage(template, bytes, CapabilityMap.Of(bytes));
    }

    public PciFunction At(PciAddress address, int? group) => Template with { Address = address, IommuGroup = group };
}
