using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Orchestration.Operations;
using ControlPlane.Persistence.Operations;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Operations;

/// <summary>HTTP for operations.</summary>
internal static class OperationEndpoints
{
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapNoun("/operations", "Operations");
        operations.MapGet("", ListAsync).Lists<OperationResponse>("ListOperations", "Lists operations", Role.Viewer)
            .WithList(
                Paging.Creation,
                QueryParameter.Text("project", "Only those of this project; absent: of all that the caller may see."),
                QueryParameter.Text("kind", "Only those of this kind: `vm.create`…"),
                QueryParameter.Choice<Contracts.OperationState>("state", "Only those in this state."),
                QueryParameter.Text("targetKind", "Only those about this kind of thing: `vm`, `host`…"),
                QueryParameter.Text("target", "Only those about the thing of this id."));
        operations.MapGet("/{operation}", GetAsync)
            .Reads<OperationResponse>("GetOperation", "Reads an operation, or waits for its end", Role.Viewer)
            .WithQuery(Waiting.Parameter);
        operations.MapPost("/{operation}/cancel", CancelAsync)
            .Starts("CancelOperation", "Asks an operation to turn round before its point of no return", Role.Member);
    }

    private static async Task<Answer> ListAsync(
        Query query, Caller caller, ProjectScope projects, OperationStore store, OperationMapping mapping, CancellationToken ct)
    {
        if (!projects.Filter(caller, query.Text("project")).TryGet(out var project, out var unknown))
            return unknown;
        var target = query.Text("target") is { } text ? (Guid.TryParse(text, out var id) ? id : Guid.Empty) : (Guid?)null;
        var filter = new OperationFilter(
            project, target, query.Text("targetKind"), query.Text("kind"),
            (Domain.Operations.OperationState?)query.Choice<Contracts.OperationState>("state"));
        if (!(await store.ListAsync(filter, Paging.Request(query, Paging.Creation), ct)).TryGet(out var page, out var wrong))
            return wrong;
        var steps = await store.StepsAsync([.. page.Items.Select(o => o.Id)], ct);
        return Answer.Ok(new Page<OperationResponse>(
            [.. page.Items.Select(o => mapping.ToResponse(o, steps.GetValueOrDefault(o.Id, [])))], page.NextPageToken));
    }

    private static async Task<Answer> GetAsync(
        string operation, Query query, Caller caller, OperationStore store, OperationWaiter waiter, OperationMapping mapping, IHostApplicationLifetime lifetime,
        CancellationToken ct)
    {
        if (!(await FindAsync(operation, caller, store, ct)).TryGet(out var found, out var missing))
            return missing;
        var patience = found.HasEnded ? TimeSpan.Zero : TimeSpan.FromSeconds(query.Number(Waiting.Parameter.Name) ?? 0);
        if (await waiter.WaitAsync(found, patience, lifetime.ApplicationStopping, ct) is not { } reached)
            return Fault.NotFound("operation", operation);
        var response = mapping.ToResponse(reached.Operation, reached.Steps);
        return Answer.Ok(response, ETags.Of(new Generation(((long)response.State * 1000) + response.Steps.Sum(s => (long)s.State + 1))));
    }

    private static async Task<Answer> CancelAsync(
        string operation, Body<EmptyRequest> body, Caller caller, OperationStore store, CancelOperationHandler handler, OperationMapping mapping,
        CancellationToken ct)
    {
        var found = await FindAsync(operation, caller, store, ct);
        return found.Succeeded ? mapping.Accepted(await handler.HandleAsync(new CancelOperation(found.Value.Id), ct)) : found.Fault;
    }

    private static async Task<Outcome<Operation>> FindAsync(string operation, Caller caller, OperationStore store, CancellationToken ct) =>
        Guid.TryParse(operation, out var id) && await store.FindAsync(OperationId.From(id), ct) is { } found && caller.MaySee(found.Project)
            ? found
            : Fault.NotFound("operation", operation);
}
