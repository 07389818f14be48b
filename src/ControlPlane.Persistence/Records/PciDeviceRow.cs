using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Persistence.Records;

/// <summary>A device as stored: the facts as JSON, those of them that filters and constraints need as columns, and the ownership.</summary>
/// <param name="IommuGroup">
/// As of the last scan that found the device unowned: while it is owned, the group that the claim was made in stays. The facts always say
/// what was seen last.
/// </param>
/// <param name="Family">The physical function that this one is or comes from; null for a plain function.</param>
internal sealed record PciDeviceRow(
    HostId HostId, PciAddress Address, PciFunction Facts, PciKind Kind, FunctionKind Function, int VendorId, int DeviceId, int ClassCode,
    int? NumaNode, int? IommuGroup, PciAddress? Family, DeviceState State, VmId? OwnerVm, string? OwnerName, bool OwnerCompanion,
    Generation Generation, string? QuarantineReason, bool Assignable, bool HostCritical, bool Present)
{
    public PciDevice ToDevice() => new(
        HostId, Facts,
        new DeviceOwnership(State, OwnerVm is { } vm ? new DeviceOwner(vm, OwnerName!, OwnerCompanion) : null, Generation, QuarantineReason),
        Assignable, HostCritical, Present);

    public static PciDeviceRow From(PciDevice device)
    {
        var (facts, ownership) = (device.Facts, device.Ownership);
        return new PciDeviceRow(
            device.Host, facts.Address, facts, facts.Kind, facts.Function, facts.VendorId, facts.DeviceId, facts.ClassCode, facts.NumaNode,
            facts.IommuGroup, FamilyOf(facts), ownership.State, ownership.Owner?.Vm, ownership.Owner?.Name,
            ownership.Owner?.Companion ?? false, ownership.Generation, ownership.QuarantineReason, device.Assignable, device.HostCritical,
            device.Present);
    }

    public static PciAddress? FamilyOf(PciFunction facts) => facts.Function switch
    {
        FunctionKind.Physical => facts.Address,
        FunctionKind.Virtual => facts.PhysicalFunction,
        _ => null,
    };
}
