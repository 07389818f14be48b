using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Persistence.Projects;

namespace ControlPlane.Orchestration.Projects;

/// <summary>Sets what a project may hold.</summary>
public sealed class SetQuotaHandler(
    ProjectStore projects, QuotaResolver quotas, RecordedChange change, FleetDirectory fleet, TimeProvider clock)
{
    public Task<Outcome<Project>> HandleAsync(SetQuota command, CancellationToken ct) =>
        change.RetryAsync(command.Expected, () => SetAsync(command, ct));

    private async Task<Outcome<Project>> SetAsync(SetQuota command, CancellationToken ct)
    {
        var errors = new FieldErrors();
        if (quotas.Resolve(errors, "", command.Quota) is not { } quota)
            return errors.ToFault();
        if (await projects.FindAsync(command.Project, ct) is not { } present)
            return Fault.NotFound("project", command.Project.ToString());
        if (RecordedChange.Stale(command.Expected, present.Generation) is { } stale)
            return stale;
        var wanted = present with { Quota = quota, Generation = present.Generation.Next(), UpdatedAt = clock.GetUtcNow() };
        var committed = await change.CommitAsync(
            unit => projects.Update(unit, wanted, present.Generation),
            RecordedEvent.Of("project", "quota-changed", "projects", wanted.Id.Value, wanted.Name, wanted.Id), ct);
        if (!committed.Succeeded)
            return committed.Fault;
        fleet.Set(wanted);
        return wanted;
    }
}
