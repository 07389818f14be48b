using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Persistence.Projects;

namespace ControlPlane.Orchestration.Projects;

/// <summary>Deletes a project. The database refuses while anything belongs to it.</summary>
public sealed class DeleteProjectHandler(ProjectStore projects, RecordedChange change, FleetDirectory fleet)
{
    public Task<Outcome<Done>> HandleAsync(DeleteProject command, CancellationToken ct) =>
        change.RetryAsync(command.Expected, () => DeleteAsync(command, ct));

    private async Task<Outcome<Done>> DeleteAsync(DeleteProject command, CancellationToken ct)
    {
        if (await projects.FindAsync(command.Project, ct) is not { } present)
            return Fault.NotFound("project", command.Project.ToString());
        if (RecordedChange.Stale(command.Expected, present.Generation) is { } stale)
            return stale;
        if (present.Name == Project.DefaultName)
            return Fault.Conflict("default-project", "The default project stays: requests that name none are about it.");
        var committed = await change.CommitAsync(
            unit => projects.Delete(unit, present.Id, present.Generation),
            RecordedEvent.Of("project", "deleted", "projects", present.Id.Value, present.Name), ct);
        if (committed.Succeeded)
            fleet.Remove(present.Id);
        return committed;
    }
}
