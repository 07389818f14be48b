using System.Buffers.Binary;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>
/// What every virtual function of one physical function looks like: its description, and its configuration space as the specification gives
/// it (PCIe base specification 9.3.4: ids read as all ones, base addresses as zero, PCI Express and ARI capabilities are there).
/// </summary>
internal sealed record VirtualFunctionImage(PciFunction Template, ReadOnlyMemory<byte> Bytes, CapabilityMap Capabilities)
{
    private const int ExpressAt = 0xa0;
    private const int MsixAt = 0x70;
    private const int AriAt = 0x100;

    /// <summary>Copies a virtual function that the description shows.</summary>
    public static VirtualFunctionImage Like(PciFunction described, ReadOnlyMemory<byte> bytes) => new(described, bytes, CapabilityMap.Of(bytes));

    /// <summary>Makes one for a physical function of which no virtual function was described.</summary>
    public static VirtualFunctionImage For(PciFunction physical, ConfigSpace config, string? driver)
    {
        var bytes = new byte[AriAt + 8];
        var span = bytes.AsSpan();
        BinaryPrimitives.WriteUInt32LittleEndian(span, 0xffff_ffff);
        BinaryPrimitives.WriteUInt16LittleEndian(span[PciRegisters.Status..], PciRegisters.StatusCapabilities);
        BinaryPrimitives.WriteUInt32LittleEndian(span[0x08..], ((uint)physical.ClassCode << 8) | physical.Revision);
        BinaryPrimitives.WriteUInt16LittleEndian(span[0x2c..], physical.SubsystemVendorId);
        BinaryPrimitives.WriteUInt16LittleEndian(span[0x2e..], physical.SubsystemDeviceId);
        bytes[PciRegisters.CapabilityPointer] = ExpressAt;
        bytes[ExpressAt] = PciRegisters.CapExpress;
        bytes[ExpressAt + 1] = MsixAt;
        BinaryPrimitives.WriteUInt16LittleEndian(span[(ExpressAt + 2)..], 0x0002);
        // Every virtual function must implement function level reset (9.3.3.1 of revision 3).
        BinaryPrimitives.WriteUInt32LittleEndian(span[(ExpressAt + PciRegisters.ExpressDeviceCapabilities)..], PciRegisters.ExpressFlrCapable);
        var link = config.Capabilities.Express == 0 ? 0 : config.Read(config.Capabilities.Express + 0x0c, 4);
        BinaryPrimitives.WriteUInt32LittleEndian(span[(ExpressAt + 0x0c)..], link);
        bytes[MsixAt] = PciRegisters.CapMsix;
        BinaryPrimitives.WriteUInt16LittleEndian(span[(MsixAt + PciRegisters.MsixControl)..], 2);
        BinaryPrimitives.WriteUInt32LittleEndian(span[AriAt..], 0x0001_000e);

        var template = new PciFunction
        {
            Address = physical.Address,
            Kind = PciKind.Endpoint,
            ClassCode = physical.ClassCode,
            ClassName = physical.ClassName,
            VendorId = physical.VendorId,
            VendorName = physical.VendorName,
            DeviceId = physical.Sriov!.VfDeviceId,
            DeviceName = physical.DeviceName is { } name ? $"{name} Virtual Function" : null,
            SubsystemVendorId = physical.SubsystemVendorId,
            SubsystemDeviceId = physical.SubsystemDeviceId,
            Revision = physical.Revision,
            Driver = driver,
            NumaNode = physical.NumaNode,
            Parent = physical.Parent,
            Function = FunctionKind.Virtual,
            PhysicalFunction = physical.Address,
            Link = physical.Link,
            Interrupts = new PciInterrupts(0, 3),
            Reset = [ResetMethod.Flr],
        };
        return new VirtualFunctionImage(template, bytes, CapabilityMap.Of(bytes));
    }

    public PciFunction At(PciAddress address, int? group) => Template with { Address = address, IommuGroup = group };
}
