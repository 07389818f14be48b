using ControlPlane.Domain;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Projects;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Projects;

/// <summary>
/// Says which bound of a quota stood in the way. The commit only knows that one did, so usage and quota are read after the refusal; where
/// they have changed by then and would allow it now, the plain refusal stands.
/// </summary>
public sealed class QuotaExplanation(UsageStore usage, ProjectStore projects, FleetDirectory directory)
{
    public async Task<Outcome<T>> OfAsync<T>(Outcome<T> outcome, ProjectId project, QuotaAmount asked, CancellationToken ct)
    {
        if (outcome.Fault is not { Code: WriteFaults.QuotaExceededCode } refused || await projects.FindAsync(project, ct) is not { } found)
            return outcome;
        var (held, quota) = (await usage.ProjectAsync(project, ct), found.Quota);
        List<string?> bounds =
        [
            Bound("vms", asked.Vms, held.Vms, quota.Vms),
            Bound("vcpus", asked.Vcpus, held.Vcpus, quota.Vcpus),
            Bound("memoryMiB", asked.MemoryMiB, held.MemoryMiB, quota.MemoryMiB),
            .. asked.DevicesByPool.Select(d => Bound(
                $"devices of pool '{directory.FindPool(d.Key)?.Name ?? d.Key.ToString()}'", d.Value, held.DevicesByPool.GetValueOrDefault(d.Key),
                quota.DevicesByPool.TryGetValue(d.Key, out var most) ? most : null)),
        ];
        var told = string.Join("; ", bounds.OfType<string>());
        return told.Length == 0 ? outcome : refused with { Detail = $"The quota of project '{found.Name}' does not allow for it: {told}." };
    }

    private static string? Bound(string what, long asked, long held, long? most) =>
        asked > 0 && held + asked > most ? $"{what}: {asked} more than the {held} in use would exceed {most}" : null;
}
