using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Projects;

/// <summary>Which projects a list shows; null fields filter nothing.</summary>
/// <param name="Id">The one that a member's or viewer's token is for.</param>
public sealed record ProjectFilter(string? Name = null, ProjectId? Id = null);

/// <summary>Projects with their quotas. One that VMs or tokens belong to cannot be deleted (<c>in-use</c>).</summary>
public sealed class ProjectStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    private static readonly RowShape ForgetDeviceUsage = new(
        "project_device_usage", "DELETE FROM project_device_usage t USING unnest($1) AS u(id) WHERE t.project_id = u.id AND t.devices = 0",
        [ColumnType.Uuid], RowsWanted.Any, WriteFaults.ChangedMeanwhile);

    public Task<Project?> FindAsync(ProjectId id, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Set<Project>().FirstOrDefaultAsync(p => p.Id == id, ct), ct);

    public Task<Project?> FindByNameAsync(string name, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Set<Project>().FirstOrDefaultAsync(p => p.Name == name, ct), ct);

    public Task<IReadOnlyList<Project>> AllAsync(CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<Project>>(async db => await db.Set<Project>().ToListAsync(ct), ct);

    /// <summary>Sorts: <c>createdAt</c>, <c>name</c>.</summary>
    public Task<Outcome<Page<Project>>> ListAsync(ProjectFilter filter, PageRequest page, CancellationToken ct) =>
        new ListQuery<Project>("projects", SortOrder<Project>.ByCreation(p => p.Id.Value), SortOrder<Project>.ByName(p => p.Name, p => p.Id.Value))
            .WhereIf("t.name = {0}", filter.Name)
            .WhereIf("t.id = {0}", filter.Id?.Value)
            .ReadAsync(contexts, page, ct);

    public void Insert(WriteUnit unit, Project project)
    {
        TableShapes<Project>.Insert(unit.TouchDirectory(), project);
        TableShapes<ProjectUsageRow>.Insert(unit, new ProjectUsageRow(project.Id, 0, 0, 0));
    }

    /// <summary>A quota below what is in use is allowed: nothing is taken away, and nothing more is given.</summary>
    public void Update(WriteUnit unit, Project project, Generation expected) => TableShapes<Project>.Update(unit.TouchDirectory(), project, expected);

    public void Delete(WriteUnit unit, ProjectId id, Generation expected)
    {
        unit.Add(ForgetDeviceUsage, id.Value);
        TableShapes<Project>.Delete(unit.TouchDirectory(), id.Value, expected);
    }
}
