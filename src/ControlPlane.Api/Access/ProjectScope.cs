using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Orchestration;

namespace ControlPlane.Api.Access;

/// <summary>Which project a request is about: the one it names, else the caller's own, else <c>default</c>.</summary>
internal sealed class ProjectScope(FleetDirectory fleet)
{
    public Outcome<Project> Resolve(Caller caller, string? named)
    {
        var project = named is not null ? fleet.FindProject(named)
            : caller.Project is { } own ? fleet.FindProject(own)
            : fleet.FindProject(Project.DefaultName);
        return project is not null && caller.MaySee(project.Id) ? project : Fault.NotFound("project", named ?? Project.DefaultName);
    }

    /// <summary>
    /// For lists in which a project is one filter among others: the named one, else all that the caller may see (null: every one).
    /// </summary>
    public Outcome<ProjectId?> Filter(Caller caller, string? named)
    {
        if (named is null)
            return caller.IsOfInstallation ? (ProjectId?)null : caller.Project;
        return Resolve(caller, named).Map(project => (ProjectId?)project.Id);
    }
}
