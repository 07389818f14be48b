using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace ControlPlane.Contracts;

[JsonConverter(typeof(KebabCaseConverter<BackendKind>))]
public enum BackendKind
{
    Emulated,
    Libvirt,
}

[JsonConverter(typeof(KebabCaseConverter<HostState>))]
public enum HostState
{
    Connecting,
    Up,
    Draining,
    Maintenance,
    Down,
}

/// <summary>What executes for a host.</summary>
/// <param name="Profile">Emulated: the name of a hardware profile or of an uploaded inventory.</param>
/// <param name="Uri">libvirt: the connection URI.</param>
public sealed record HostBackend(BackendKind Kind, string? Profile = null, string? Uri = null);

/// <param name="Name">A DNS label, unique within the installation.</param>
/// <param name="Labels">What <c>hostSelector</c> of a VM looks at.</param>
public sealed record RegisterHostRequest(string Name, HostBackend Backend, IReadOnlyDictionary<string, string>? Labels = null);

/// <summary>A field that is absent or null stays as it is.</summary>
/// <param name="Labels">Merged into the present ones; a label with the value null is removed.</param>
/// <param name="CpuRatio">Virtual CPUs that may be sold per logical CPU, 0.1 to 64.</param>
/// <param name="MemoryRatio">Memory that may be sold per memory there is, 0.1 to 4.</param>
/// <param name="Cordoned">True keeps new VMs away and leaves those there are alone.</param>
public sealed record UpdateHostRequest(
    IReadOnlyDictionary<string, string?>? Labels = null, double? CpuRatio = null, double? MemoryRatio = null, bool? Cordoned = null);

/// <param name="DryRun">Only answers the plan.</param>
/// <param name="AllowDeviceLoss">VMs whose devices cannot travel may be stopped.</param>
/// <param name="MaxParallel">Migrations at a time.</param>
public sealed record DrainHostRequest(bool DryRun = false, bool AllowDeviceLoss = false, [property: Range(1, 32)] int MaxParallel = 2);

/// <summary>What a drain does, before it does it.</summary>
/// <param name="Moves">VMs that move, each with its target.</param>
/// <param name="Stops">VMs that will be stopped, and why.</param>
/// <param name="Unplaceable">VMs that no other host takes, and why.</param>
public sealed record DrainPlanResponse(
    string Host, IReadOnlyList<DrainMoveResponse> Moves, IReadOnlyList<DrainStopResponse> Stops, IReadOnlyList<DrainUnplaceableResponse> Unplaceable);

/// <param name="LostDevices">Names of devices that the target cannot supply; empty unless their loss was allowed.</param>
public sealed record DrainMoveResponse(string Vm, string VmId, string Target, IReadOnlyList<string> LostDevices);

/// <param name="RestartOn">The host on which it could be started again; null: none now.</param>
public sealed record DrainStopResponse(string Vm, string VmId, string Reason, string? RestartOn);

public sealed record DrainUnplaceableResponse(
    string Vm, string VmId, string Reason, IReadOnlyList<HostExplanationResponse>? Explanation);

/// <param name="Hugepages2MiB">Pages reserved by the host's kernel; part of <paramref name="MemoryMiB"/>.</param>
public sealed record NumaCellResponse(int Node, int Cpus, long MemoryMiB, int Hugepages2MiB, int Hugepages1GiB);

/// <summary>What the host has, before any ratio.</summary>
public sealed record HostCapacityResponse(
    int Vcpus, long MemoryMiB, int Hugepages2MiB, int Hugepages1GiB, IReadOnlyList<NumaCellResponse> Cells);

/// <summary>What VMs hold of the host.</summary>
public sealed record HostUsageResponse(int Vcpus, long MemoryMiB);

public sealed record CpuModelResponse(string Vendor, string Name, IReadOnlyList<string> Features);

/// <param name="StateReason">Why it is in this state; null when there is nothing to say.</param>
/// <param name="OperationId">The operation under way; null: none.</param>
/// <param name="LastSeenAt">The last answer of the host.</param>
public sealed record HostResponse(
    string Id, string Name, HostBackend Backend, HostState State, string? StateReason, IReadOnlyDictionary<string, string> Labels,
    HostCapacityResponse Capacity, HostUsageResponse Usage, CpuModelResponse Cpu, double CpuRatio, double MemoryRatio, bool Cordoned,
    string? OperationId, long Generation, DateTimeOffset? LastSeenAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
