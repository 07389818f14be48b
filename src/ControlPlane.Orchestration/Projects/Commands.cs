using ControlPlane.Domain;

namespace ControlPlane.Orchestration.Projects;

/// <summary>A quota as the caller wrote it; null: unlimited.</summary>
/// <param name="Devices">By pool, id or name.</param>
public sealed record QuotaDraft(long? Vms, long? Vcpus, long? MemoryMiB, IReadOnlyDictionary<string, int> Devices)
{
    public static readonly QuotaDraft Unlimited = new(null, null, null, new Dictionary<string, int>());
}

public sealed record CreateProject(string? Name, QuotaDraft Quota);

/// <summary>Sets the whole quota. One below what is held now takes nothing away; it only refuses what would add to it.</summary>
/// <param name="Expected">The generation that If-Match named; null: any.</param>
public sealed record SetQuota(ProjectId Project, QuotaDraft Quota, Generation? Expected);

/// <summary>Refused for the default project, and while VMs or living tokens belong to it.</summary>
public sealed record DeleteProject(ProjectId Project, Generation? Expected);
