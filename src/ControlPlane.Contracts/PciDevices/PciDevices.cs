using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace ControlPlane.Contracts;

[JsonConverter(typeof(KebabCaseConverter<PciKind>))]
public enum PciKind
{
    Endpoint,
    Bridge,
    PcieToPciBridge,
    HostBridge,
}

[JsonConverter(typeof(KebabCaseConverter<FunctionKind>))]
public enum FunctionKind
{
    Physical,
    Virtual,
    Plain,
}

[JsonConverter(typeof(KebabCaseConverter<DeviceState>))]
public enum DeviceState
{
    Free,
    Reserved,
    Attached,
    Draining,
    Cleaning,
    Quarantined,
    Host,
}

[JsonConverter(typeof(KebabCaseConverter<ResetMethod>))]
public enum ResetMethod
{
    DeviceSpecific,
    Acpi,
    Flr,
    AfFlr,
    Pm,
    Bus,
}

/// <summary>SR-IOV extended capability (PCI Express base specification 9.3.3).</summary>
/// <param name="TotalVfs">The hardware's limit.</param>
/// <param name="VfCount">Enabled now.</param>
/// <param name="FirstVfOffset">Routing id of the first virtual function, relative to this function's.</param>
public sealed record SriovResponse(int TotalVfs, int VfCount, string VfDeviceId, int FirstVfOffset, int VfStride);

public sealed record LinkResponse(double SpeedGTs, int Width, double MaxSpeedGTs, int MaxWidth);

public sealed record InterruptsResponse(int MsiVectors, int MsixVectors);

/// <summary>Who holds a device.</summary>
/// <param name="Vm">The VM's id.</param>
/// <param name="VmName">Null when the VM is in a project that the caller may not see; <paramref name="Vm"/> is then null too.</param>
/// <param name="Name">The VM's name for it: an interface's or a device request's.</param>
/// <param name="Companion">Held only because it shares the IOMMU group of a device that the VM uses.</param>
public sealed record DeviceOwnerResponse(string? Vm, string? VmName, string? Project, string? Name, bool Companion);

/// <param name="Host">The host's name.</param>
/// <param name="ClassCode">Six hex digits: class, subclass, programming interface.</param>
/// <param name="Parent">The bridge above; null on a root bus.</param>
/// <param name="PhysicalFunction">The maker of a virtual function.</param>
/// <param name="Acs">Access Control Services able to keep peers apart.</param>
/// <param name="Generation">Grows with every owner; fences the late actions of an older one.</param>
/// <param name="QuarantineReason">What of its proof failed; null unless quarantined.</param>
/// <param name="Pools">Names of the pools that hold it.</param>
public sealed record PciDeviceResponse(
    string Host, string Address, PciKind Kind, string ClassCode, string? ClassName, string VendorId, string? VendorName, string DeviceId,
    string? DeviceName, string SubsystemVendorId, string SubsystemDeviceId, string Revision, string? Driver, int? NumaNode, int? IommuGroup,
    string? Parent, FunctionKind Function, string? PhysicalFunction, SriovResponse? Sriov, LinkResponse? Link, InterruptsResponse Interrupts,
    IReadOnlyList<ResetMethod> Reset, bool Acs, DeviceState State, DeviceOwnerResponse? Owner, long Generation, bool Assignable,
    bool HostCritical, string? QuarantineReason, IReadOnlyList<string> Pools);

/// <summary>A field that is absent or null stays as it is.</summary>
/// <param name="Assignable">May be given to guests. Bridges never are.</param>
/// <param name="HostCritical">The host cannot run without it; its IOMMU group is never assigned.</param>
public sealed record UpdatePciDeviceRequest(bool? Assignable = null, bool? HostCritical = null);

/// <param name="Count">0 to the hardware's <c>totalVfs</c>.</param>
public sealed record SetVirtualFunctionCountRequest([property: Range(0, ushort.MaxValue)] int Count);

/// <param name="Devices">Addresses of its members.</param>
/// <param name="Reasons">Why it cannot be assigned; empty when it can.</param>
/// <param name="Owner">The VM that holds it; null: none.</param>
public sealed record IommuGroupResponse(
    int Group, IReadOnlyList<string> Devices, bool Assignable, IReadOnlyList<string> Reasons, DeviceOwnerResponse? Owner);
