using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Persistence.Hosts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Hosts;

/// <summary>HTTP for hosts.</summary>
internal static class HostEndpoints
{
    public static void MapHosts(this IEndpointRouteBuilder routes)
    {
        var hosts = routes.MapNoun("/hosts", "Hosts");
        hosts.MapGet("", ListAsync).Lists<HostResponse>("ListHosts", "Lists hosts", Role.Viewer)
            .WithList(
                Paging.NameOrCreation,
                QueryParameter.Choice<Contracts.HostState>("state", "Only those in this state."),
                QueryParameter.Text("name", "Only the one of this name."),
                LabelFilter.Parameter);
        hosts.MapPost("", RegisterAsync).Starts("RegisterHost", "Registers a host and reads its inventory", Role.Operator);
        hosts.MapGet("/{host}", GetAsync).Reads<HostResponse>("GetHost", "Reads a host", Role.Viewer);
        hosts.MapPatch("/{host}", UpdateAsync).Records<HostResponse>("UpdateHost", "Changes labels, ratios or the cordon of a host", Role.Operator);
        hosts.MapDelete("/{host}", RemoveAsync).Removes("RemoveHost", "Removes a host on which no VM is", Role.Operator);
        hosts.MapPost("/{host}/activate", ActivateAsync).Starts("ActivateHost", "Lets a drained host take VMs again", Role.Operator);
        hosts.MapPost("/{host}/rescan", RescanAsync).Starts("RescanHost", "Reads the host's inventory again", Role.Operator);
        hosts.MapPost("/{host}/drain", DrainAsync).Starts("DrainHost", "Moves all VMs away from a host, or answers the plan of it", Role.Operator)
            .AlsoAnswers<DrainPlanResponse>(200, "The plan, for a dry run.");
    }

    private static async Task<Answer> ListAsync(Query query, HostStore store, HostMapping mapping, CancellationToken ct)
    {
        var filter = new HostFilter((Domain.Hosts.HostState?)query.Choice<Contracts.HostState>("state"), query.Text("name"), Labels: LabelFilter.Of(query));
        var found = await store.ListAsync(filter, Paging.Request(query, Paging.NameOrCreation), ct);
        return found.Succeeded ? Answer.Ok(await mapping.ToPageAsync(found.Value, ct)) : found.Fault;
    }

    private static async Task<Answer> GetAsync(string host, FleetDirectory fleet, HostMapping mapping, CancellationToken ct) =>
        fleet.FindHost(host) is { } found ? await SingleAsync(found, mapping, ct) : Fault.NotFound("host", host);

    private static async Task<Answer> RegisterAsync(
        Body<RegisterHostRequest> body, AddHostHandler handler, OperationMapping operations, CancellationToken ct)
    {
        var request = body.Value;
        var accepted = await handler.HandleAsync(new AddHost(request.Name, request.Backend.ToDomain(), request.Labels ?? new Dictionary<string, string>()), ct);
        return accepted.Match(a => operations.Accepted(a.Operation), fault => fault);
    }

    private static async Task<Answer> UpdateAsync(
        string host, Body<UpdateHostRequest> body, IfMatch ifMatch, FleetDirectory fleet, HostMapping mapping, UpdateHostHandler handler,
        CancellationToken ct)
    {
        var updated = await LabelPatch.RetryAsync(ifMatch, async () =>
        {
            if (fleet.FindHost(host) is not { } found)
                return Fault.NotFound("host", host);
            if (!ifMatch.Expect(found.Generation).TryGet(out _, out var stale))
                return stale;
            var request = body.Value;
            return await handler.HandleAsync(
                new UpdateHost(
                    found.Id, LabelPatch.Apply(found.Labels, request.Labels), found.Generation, request.CpuRatio, request.MemoryRatio,
                    request.Cordoned),
                ct);
        });
        return updated.Succeeded ? await SingleAsync(updated.Value, mapping, ct) : updated.Fault;
    }

    private static async Task<Answer> RemoveAsync(
        string host, IfMatch ifMatch, FleetDirectory fleet, RemoveHostHandler handler, CancellationToken ct)
    {
        if (fleet.FindHost(host) is not { } found)
            return Fault.NotFound("host", host);
        if (!ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale))
            return stale;
        var removed = await handler.HandleAsync(new RemoveHost(found.Id, expected), ct);
        return removed.Match(_ => Answer.NoContent(), fault => fault);
    }

    private static async Task<Answer> ActivateAsync(
        string host, Body<EmptyRequest> body, FleetDirectory fleet, ActivateHostHandler handler, OperationMapping operations, CancellationToken ct) =>
        fleet.FindHost(host) is { } found
            ? operations.Accepted(await handler.HandleAsync(new ActivateHost(found.Id), ct))
            : Fault.NotFound("host", host);

    private static async Task<Answer> RescanAsync(
        string host, Body<EmptyRequest> body, FleetDirectory fleet, RescanHostHandler handler, OperationMapping operations, CancellationToken ct) =>
        fleet.FindHost(host) is { } found
            ? operations.Accepted(await handler.HandleAsync(new RescanHost(found.Id), ct))
            : Fault.NotFound("host", host);

    private static async Task<Answer> DrainAsync(
        string host, Body<DrainHostRequest> body, FleetDirectory fleet, DrainHostHandler drain, PlanDrainHandler plan, OperationMapping operations,
        CancellationToken ct)
    {
        if (fleet.FindHost(host) is not { } found)
            return Fault.NotFound("host", host);
        var request = body.Value;
        if (!request.DryRun)
            return operations.Accepted(await drain.HandleAsync(new DrainHost(found.Id, request.AllowDeviceLoss, request.MaxParallel), ct));
        var planned = await plan.HandleAsync(new DrainHost(found.Id, request.AllowDeviceLoss, request.MaxParallel), ct);
        return planned.Match(p => Answer.Ok(DrainPlanMapping.ToResponse(found.Name, p)), fault => fault);
    }

    private static async Task<Answer> SingleAsync(Host host, HostMapping mapping, CancellationToken ct) =>
        Answer.Ok(await mapping.ToResponseAsync(host, ct), ETags.Of(host.Generation));
}
