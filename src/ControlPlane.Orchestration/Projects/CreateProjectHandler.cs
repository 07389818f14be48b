using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Persistence.Projects;

namespace ControlPlane.Orchestration.Projects;

/// <summary>Makes a project.</summary>
public sealed class CreateProjectHandler(
    ProjectStore projects, QuotaResolver quotas, RecordedChange change, FleetDirectory fleet, IIdSource ids, TimeProvider clock)
{
    public async Task<Outcome<Project>> HandleAsync(CreateProject command, CancellationToken ct)
    {
        var errors = new FieldErrors();
        errors.Label("name", command.Name);
        if (quotas.Resolve(errors, "quota.", command.Quota) is not { } quota)
            return errors.ToFault();
        var now = clock.GetUtcNow();
        var project = new Project(ProjectId.From(ids.Next()), command.Name!, quota, Generation.None.Next(), now, now);
        var committed = await change.CommitAsync(
            project, unit => projects.Insert(unit, project),
            RecordedEvent.Of("project", "created", "projects", project.Id.Value, project.Name, project.Id), ct);
        if (!committed.Succeeded)
            return committed;
        fleet.Set(project);
        return committed;
    }
}
