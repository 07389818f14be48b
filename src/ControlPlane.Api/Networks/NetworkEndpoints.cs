using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Networks;
using ControlPlane.Persistence.Networks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Networks;

/// <summary>HTTP for networks.</summary>
internal static class NetworkEndpoints
{
    private const string Collection = "networks";

    public static void MapNetworks(this IEndpointRouteBuilder routes)
    {
        var networks = routes.MapNoun("/networks", "Networks");
        networks.MapGet("", ListAsync).Lists<NetworkResponse>("ListNetworks", "Lists networks", Role.Viewer)
            .WithList(
                Paging.NameOrCreation, QueryParameter.Text("name", "Only the one of this name."),
                QueryParameter.Text("physicalNetwork", "Only those on this wire."));
        networks.MapPost("", CreateAsync)
            .Records<NetworkResponse>("CreateNetwork", "Makes a network", Role.Operator, StatusCodes.Status201Created);
        networks.MapGet("/{network}", Get).Reads<NetworkResponse>("GetNetwork", "Reads a network", Role.Viewer);
        networks.MapPut("/{network}", ReplaceAsync).Records<NetworkResponse>("ReplaceNetwork", "Changes a network", Role.Operator);
        networks.MapDelete("/{network}", DeleteAsync)
            .Removes("DeleteNetwork", "Deletes a network that no VM is attached to", Role.Operator);
    }

    private static async Task<Answer> ListAsync(Query query, NetworkStore store, CancellationToken ct)
    {
        var filter = new NetworkFilter(query.Text("name"), query.Text("physicalNetwork"));
        return (await store.ListAsync(filter, Paging.Request(query, Paging.NameOrCreation), ct)).ToAnswer(ToResponse);
    }

    private static Answer Get(string network, FleetDirectory fleet) =>
        fleet.FindNetwork(network) is { } found ? Single(found) : Fault.NotFound("network", network);

    private static Task<Answer> CreateAsync(Body<NetworkRequest> body, CreateNetworkHandler handler, RecordedAnswer answer, CancellationToken ct) =>
        answer.OfAsync(
            () => handler.HandleAsync(new CreateNetwork(ToDraft(body.Value)), ct),
            made => Answer.Created(ToResponse(made), Routes.To(Collection, made.Id.ToString()), ETags.Of(made.Generation)));

    private static async Task<Answer> ReplaceAsync(
        string network, Body<NetworkRequest> body, IfMatch ifMatch, FleetDirectory fleet, ReplaceNetworkHandler handler, CancellationToken ct)
    {
        if (fleet.FindNetwork(network) is not { } found)
            return Fault.NotFound("network", network);
        if (!ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale))
            return stale;
        var replaced = await handler.HandleAsync(new ReplaceNetwork(found.Id, ToDraft(body.Value), expected), ct);
        return replaced.Match(Single, fault => fault);
    }

    private static async Task<Answer> DeleteAsync(
        string network, IfMatch ifMatch, FleetDirectory fleet, DeleteNetworkHandler handler, CancellationToken ct)
    {
        if (fleet.FindNetwork(network) is not { } found)
            return Fault.NotFound("network", network);
        if (!ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale))
            return stale;
        var deleted = await handler.HandleAsync(new DeleteNetwork(found.Id, expected), ct);
        return deleted.Match(_ => Answer.NoContent(), fault => fault);
    }

    private static Answer Single(Network network) => Answer.Ok(ToResponse(network), ETags.Of(network.Generation));

    private static NetworkDraft ToDraft(NetworkRequest request) =>
        new(request.Name, request.PhysicalNetwork, request.Vlan, request.Mtu);

    private static NetworkResponse ToResponse(Network n) =>
        new(n.Id.ToString(), n.Name, n.PhysicalNetwork, n.Vlan, n.Mtu, n.Generation.Value, n.CreatedAt, n.UpdatedAt);
}
