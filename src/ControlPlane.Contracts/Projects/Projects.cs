using System.ComponentModel.DataAnnotations;

namespace ControlPlane.Contracts;

/// <summary>Upper bounds of what a project's VMs hold together; null: unlimited.</summary>
/// <param name="Devices">By pool, id or name; a pool that is not named is unlimited.</param>
public sealed record QuotaRequest(
    [property: Range(0, 10_000_000)] int? Vcpus = null, [property: Range(0d, 64d * 1024 * 1024 * 1024)] long? MemoryMiB = null,
    [property: Range(0, 10_000_000)] int? Vms = null, IReadOnlyDictionary<string, int>? Devices = null);

/// <summary>What a project's VMs hold now.</summary>
public sealed record QuotaUsageResponse(int Vcpus, long MemoryMiB, int Vms, IReadOnlyDictionary<string, int> Devices);

/// <param name="Devices">By pool name.</param>
public sealed record QuotaResponse(
    int? Vcpus, long? MemoryMiB, int? Vms, IReadOnlyDictionary<string, int> Devices, QuotaUsageResponse Usage);

/// <param name="Name">A DNS label, unique within the installation.</param>
public sealed record CreateProjectRequest(string Name, QuotaRequest? Quota = null);

/// <summary>A field that is absent or null stays as it is.</summary>
public sealed record UpdateProjectRequest(QuotaRequest? Quota = null);

public sealed record ProjectResponse(
    string Id, string Name, QuotaResponse Quota, long Generation, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
