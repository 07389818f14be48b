namespace ControlPlane.Contracts;

/// <summary>A hardware profile that ships with the server.</summary>
public sealed record ProfileResponse(
    string Name, string Description, HostCapacityResponse Capacity, CpuModelResponse Cpu, int DeviceCount, int VirtualFunctionsMax);
