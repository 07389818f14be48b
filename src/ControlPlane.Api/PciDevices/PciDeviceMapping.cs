using ControlPlane.Contracts;
using ControlPlane.Domain.Pci;
using Model = ControlPlane.Domain.Pci;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.PciDevices;

/// <summary>PCI functions and their ownership on the wire, in the spelling of lspci.</summary>
internal static class PciDeviceMapping
{
    public static PciDeviceResponse ToResponse(this PciDevice device, string host, DeviceOwnerResponse? owner, IReadOnlyList<string> pools)
    {
        var f = device.Facts;
        return new PciDeviceResponse(
            host, f.Address.ToString(), (Wire.PciKind)f.Kind, f.ClassCode.ToString("x6"), f.ClassName, Hex(f.VendorId), f.VendorName,
            Hex(f.DeviceId), f.DeviceName, Hex(f.SubsystemVendorId), Hex(f.SubsystemDeviceId), f.Revision.ToString("x2"), f.Driver,
            f.NumaNode, f.IommuGroup, f.Parent?.ToString(), (Wire.FunctionKind)f.Function, f.PhysicalFunction?.ToString(),
            ToResponse(f.Sriov), ToResponse(f.Link), ToResponse(f.Interrupts), ToResponse(f.Reset), f.Acs,
            (Wire.DeviceState)device.Ownership.State, owner, device.Ownership.Generation.Value, device.Assignable, device.HostCritical,
            device.Ownership.QuarantineReason, pools);
    }

    /// <summary>A function as an inventory shows it: nobody's yet.</summary>
    public static InventoryDeviceResponse ToResponse(this PciFunction f) => new(
        f.Address.ToString(), (Wire.PciKind)f.Kind, f.ClassCode.ToString("x6"), f.ClassName, Hex(f.VendorId), f.VendorName, Hex(f.DeviceId),
        f.DeviceName, Hex(f.SubsystemVendorId), Hex(f.SubsystemDeviceId), f.Revision.ToString("x2"), f.Driver, f.NumaNode, f.IommuGroup,
        f.Parent?.ToString(), (Wire.FunctionKind)f.Function, f.PhysicalFunction?.ToString(), ToResponse(f.Sriov), ToResponse(f.Link),
        ToResponse(f.Interrupts), ToResponse(f.Reset), f.Acs);

    public static string Hex(ushort id) => id.ToString("x4");

    private static SriovResponse? ToResponse(SriovCapability? sriov) =>
        sriov is null ? null : new(sriov.TotalVfs, sriov.VfCount, Hex(sriov.VfDeviceId), sriov.FirstVfOffset, sriov.VfStride);

    private static LinkResponse? ToResponse(PciLink? link) =>
        link is null ? null : new(link.SpeedGTs, link.Width, link.MaxSpeedGTs, link.MaxWidth);

    private static InterruptsResponse ToResponse(PciInterrupts interrupts) => new(interrupts.MsiVectors, interrupts.MsixVectors);

    private static Wire.ResetMethod[] ToResponse(IReadOnlyList<Model.ResetMethod> methods) =>
        [.. methods.Select(m => (Wire.ResetMethod)m)];
}
