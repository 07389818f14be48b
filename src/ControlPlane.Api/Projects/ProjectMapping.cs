using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Projects;
using ControlPlane.Persistence.Hosts;

namespace ControlPlane.Api.Projects;

/// <summary>Projects on the wire, with what they hold.</summary>
internal sealed class ProjectMapping(UsageStore usage, FleetDirectory fleet)
{
    public async Task<IReadOnlyList<ProjectResponse>> ToResponsesAsync(IReadOnlyList<Project> projects, CancellationToken ct)
    {
        var responses = new List<ProjectResponse>(projects.Count);
        foreach (var project in projects)
        {
            var held = await usage.ProjectAsync(project.Id, ct);
            var quota = new QuotaResponse(
                project.Quota.Vcpus, project.Quota.MemoryMiB, project.Quota.Vms, ByName(project.Quota.DevicesByPool),
                new QuotaUsageResponse(held.Vcpus, held.MemoryMiB, held.Vms, ByName(held.DevicesByPool)));
            responses.Add(new ProjectResponse(
                project.Id.ToString(), project.Name, quota, project.Generation.Value, project.CreatedAt, project.UpdatedAt));
        }
        return responses;
    }

    public static QuotaDraft ToDraft(QuotaRequest? quota) => quota is null
        ? QuotaDraft.Unlimited
        : new QuotaDraft(quota.Vms, quota.Vcpus, quota.MemoryMiB, quota.Devices ?? new Dictionary<string, int>());

    /// <summary>A pool that was deleted after the quota was set limits nothing any more.</summary>
    private Dictionary<string, int> ByName(IReadOnlyDictionary<PoolId, int> devices) =>
        devices.Where(d => fleet.FindPool(d.Key) is not null).ToDictionary(d => fleet.FindPool(d.Key)!.Name, d => d.Value);
}
