namespace ControlPlane.Contracts;

/// <summary>A real host described by what standard tools print on it.</summary>
/// <param name="Name">A DNS label; usable as the profile of an emulated host.</param>
/// <param name="Lspci">Output of <c>lspci -Dvvvnnk -xxxx</c>, as root.</param>
/// <param name="IommuGroups">Output of <c>find /sys/kernel/iommu_groups -type l</c>; without it groups are computed.</param>
/// <param name="Lscpu">Output of <c>lscpu</c>.</param>
/// <param name="NodeDevices">Outputs of <c>virsh nodedev-dumpxml</c>.</param>
/// <param name="Capabilities">Output of <c>virsh capabilities</c>.</param>
public sealed record CreateInventoryRequest(
    string Name, string? Lspci = null, string? IommuGroups = null, string? Lscpu = null, IReadOnlyList<string>? NodeDevices = null,
    string? Capabilities = null);

/// <param name="Line">Counted from 1; null when the warning is about no line.</param>
public sealed record InventoryWarningResponse(string Source, int? Line, string Message);

/// <summary>One PCI function as the texts describe it.</summary>
public sealed record InventoryDeviceResponse(
    string Address, PciKind Kind, string ClassCode, string? ClassName, string VendorId, string? VendorName, string DeviceId,
    string? DeviceName, string SubsystemVendorId, string SubsystemDeviceId, string Revision, string? Driver, int? NumaNode, int? IommuGroup,
    string? Parent, FunctionKind Function, string? PhysicalFunction, SriovResponse? Sriov, LinkResponse? Link, InterruptsResponse Interrupts,
    IReadOnlyList<ResetMethod> Reset, bool Acs);

public sealed record InventoryResponse(
    string Id, string Name, HostCapacityResponse Capacity, CpuModelResponse Cpu, IReadOnlyList<InventoryDeviceResponse> Devices,
    IReadOnlyList<InventoryWarningResponse> Warnings, DateTimeOffset CreatedAt);

public sealed record InventorySummaryResponse(string Id, string Name, int DeviceCount, int WarningCount, DateTimeOffset CreatedAt);
