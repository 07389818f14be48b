using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Projects;
using ControlPlane.Orchestration.Projects;
using ControlPlane.Persistence.Projects;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Projects;

/// <summary>HTTP for projects and their quotas.</summary>
internal static class ProjectEndpoints
{
    private const string Collection = "projects";

    public static void MapProjects(this IEndpointRouteBuilder routes)
    {
        var projects = routes.MapNoun("/projects", "Projects");
        projects.MapGet("", ListAsync).Lists<ProjectResponse>("ListProjects", "Lists the projects that the caller may see", Role.Viewer)
            .WithList(Paging.NameOrCreation, QueryParameter.Text("name", "Only the one of this name."));
        projects.MapPost("", CreateAsync)
            .Records<ProjectResponse>("CreateProject", "Makes a project", Role.Admin, StatusCodes.Status201Created);
        projects.MapGet("/{project}", GetAsync).Reads<ProjectResponse>("GetProject", "Reads a project", Role.Viewer);
        projects.MapPatch("/{project}", UpdateAsync).Records<ProjectResponse>("UpdateProject", "Changes a project", Role.Admin);
        projects.MapDelete("/{project}", DeleteAsync).Removes("DeleteProject", "Deletes a project that nothing belongs to", Role.Admin);
        projects.MapGet("/{project}/quota", GetQuotaAsync)
            .Reads<QuotaResponse>("GetQuota", "Reads a project's quota and what it holds", Role.Viewer);
        projects.MapPut("/{project}/quota", SetQuotaAsync).Records<QuotaResponse>("SetQuota", "Sets a project's whole quota", Role.Admin);
    }

    private static async Task<Answer> ListAsync(
        Query query, Caller caller, ProjectStore store, ProjectMapping mapping, CancellationToken ct)
    {
        var filter = new ProjectFilter(query.Text("name"), caller.IsOfInstallation ? null : caller.Project ?? new ProjectId(Guid.Empty));
        if (!(await store.ListAsync(filter, Paging.Request(query, Paging.NameOrCreation), ct)).TryGet(out var page, out var wrong))
            return wrong;
        return Answer.Ok(new Page<ProjectResponse>(await mapping.ToResponsesAsync(page.Items, ct), page.NextPageToken));
    }

    private static Task<Answer> CreateAsync(
        Body<CreateProjectRequest> body, CreateProjectHandler handler, ProjectMapping mapping, RecordedAnswer answer, CancellationToken ct) =>
        answer.OfAsync(
            () => handler.HandleAsync(new CreateProject(body.Value.Name, ProjectMapping.ToDraft(body.Value.Quota)), ct),
            async made => Answer.Created(
                (await mapping.ToResponsesAsync([made], ct))[0], Routes.To(Collection, made.Id.ToString()), ETags.Of(made.Generation)));

    private static async Task<Answer> GetAsync(
        string project, Caller caller, ProjectScope projects, ProjectMapping mapping, CancellationToken ct)
    {
        var found = projects.Resolve(caller, project);
        return found.Succeeded ? await SingleAsync(found.Value, mapping, ct) : found.Fault;
    }

    private static async Task<Answer> UpdateAsync(
        string project, Body<UpdateProjectRequest> body, IfMatch ifMatch, Caller caller, ProjectScope projects, SetQuotaHandler handler,
        ProjectMapping mapping, CancellationToken ct)
    {
        if (!projects.Resolve(caller, project).TryGet(out var found, out var missing))
            return missing;
        if (!ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale))
            return stale;
        if (body.Value.Quota is not { } quota)
            return await SingleAsync(found, mapping, ct);
        var updated = await handler.HandleAsync(new SetQuota(found.Id, ProjectMapping.ToDraft(quota), expected), ct);
        return updated.Succeeded ? await SingleAsync(updated.Value, mapping, ct) : updated.Fault;
    }

    private static async Task<Answer> DeleteAsync(
        string project, IfMatch ifMatch, Caller caller, ProjectScope projects, DeleteProjectHandler handler, CancellationToken ct)
    {
        if (!projects.Resolve(caller, project).TryGet(out var found, out var missing))
            return missing;
        if (!ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale))
            return stale;
        var deleted = await handler.HandleAsync(new DeleteProject(found.Id, expected), ct);
        return deleted.Match(_ => Answer.NoContent(), fault => fault);
    }

    private static async Task<Answer> GetQuotaAsync(
        string project, Caller caller, ProjectScope projects, ProjectMapping mapping, CancellationToken ct)
    {
        var found = projects.Resolve(caller, project);
        return found.Succeeded ? await QuotaAsync(found.Value, mapping, ct) : found.Fault;
    }

    private static async Task<Answer> SetQuotaAsync(
        string project, Body<QuotaRequest> body, IfMatch ifMatch, Caller caller, ProjectScope projects, SetQuotaHandler handler,
        ProjectMapping mapping, CancellationToken ct)
    {
        if (!projects.Resolve(caller, project).TryGet(out var found, out var missing))
            return missing;
        if (!ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale))
            return stale;
        var updated = await handler.HandleAsync(new SetQuota(found.Id, ProjectMapping.ToDraft(body.Value), expected), ct);
        return updated.Succeeded ? await QuotaAsync(updated.Value, mapping, ct) : updated.Fault;
    }

    private static async Task<Answer> SingleAsync(Project project, ProjectMapping mapping, CancellationToken ct) =>
        Answer.Ok((await mapping.ToResponsesAsync([project], ct))[0], ETags.Of(project.Generation));

    private static async Task<Answer> QuotaAsync(Project project, ProjectMapping mapping, CancellationToken ct) =>
        Answer.Ok((await mapping.ToResponsesAsync([project], ct))[0].Quota, ETags.Of(project.Generation));
}
