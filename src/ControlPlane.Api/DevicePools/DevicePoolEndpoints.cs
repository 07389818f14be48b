using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.DevicePools;
using ControlPlane.Persistence.Pci;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.DevicePools;

/// <summary>HTTP for device pools.</summary>
internal static class DevicePoolEndpoints
{
    private const string Collection = "device-pools";

    public static void MapDevicePools(this IEndpointRouteBuilder routes)
    {
        var pools = routes.MapNoun("/device-pools", "Device pools");
        pools.MapGet("", ListAsync).Lists<DevicePoolResponse>("ListDevicePools", "Lists device pools", Role.Viewer)
            .WithList(
                Paging.NameOrCreation, QueryParameter.Text("name", "Only the one of this name."),
                QueryParameter.Choice<Contracts.PoolKind>("kind", "Only those of this kind."));
        pools.MapPost("", CreateAsync)
            .Records<DevicePoolResponse>("CreateDevicePool", "Makes a device pool", Role.Operator, StatusCodes.Status201Created);
        pools.MapGet("/{pool}", GetAsync)
            .Reads<DevicePoolResponse>("GetDevicePool", "Reads a pool, with totals and free devices by host", Role.Viewer);
        pools.MapPut("/{pool}", ReplaceAsync).Records<DevicePoolResponse>("ReplaceDevicePool", "Changes what a pool matches", Role.Operator);
        pools.MapDelete("/{pool}", DeleteAsync).Removes("DeleteDevicePool", "Deletes a pool that no VM holds devices of", Role.Operator);
    }

    private static async Task<Answer> ListAsync(Query query, DevicePoolStore store, DevicePoolMapping mapping, CancellationToken ct)
    {
        var filter = new DevicePoolFilter(query.Text("name"), (Domain.Pci.PoolKind?)query.Choice<Contracts.PoolKind>("kind"));
        if (!(await store.ListAsync(filter, Paging.Request(query, Paging.NameOrCreation), ct)).TryGet(out var page, out var wrong))
            return wrong;
        return Answer.Ok(new Page<DevicePoolResponse>(await mapping.ToResponsesAsync(page.Items, ct), page.NextPageToken));
    }

    private static async Task<Answer> GetAsync(string pool, FleetDirectory fleet, DevicePoolMapping mapping, CancellationToken ct) =>
        fleet.FindPool(pool) is { } found ? await SingleAsync(found, mapping, ct) : Fault.NotFound("device-pool", pool);

    private static Task<Answer> CreateAsync(
        Body<DevicePoolRequest> body, CreateDevicePoolHandler handler, DevicePoolMapping mapping, RecordedAnswer answer, CancellationToken ct) =>
        answer.OfAsync(
            () => handler.HandleAsync(new CreateDevicePool(DevicePoolMapping.ToDraft(body.Value)), ct),
            async made => Answer.Created(
                (await mapping.ToResponsesAsync([made], ct))[0], Routes.To(Collection, made.Id.ToString()), ETags.Of(made.Generation)));

    private static async Task<Answer> ReplaceAsync(
        string pool, Body<DevicePoolRequest> body, IfMatch ifMatch, FleetDirectory fleet, ReplaceDevicePoolHandler handler,
        DevicePoolMapping mapping, CancellationToken ct)
    {
        if (fleet.FindPool(pool) is not { } found)
            return Fault.NotFound("device-pool", pool);
        if (!ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale))
            return stale;
        var replaced = await handler.HandleAsync(new ReplaceDevicePool(found.Id, DevicePoolMapping.ToDraft(body.Value), expected), ct);
        return replaced.Succeeded ? await SingleAsync(replaced.Value, mapping, ct) : replaced.Fault;
    }

    private static async Task<Answer> DeleteAsync(
        string pool, IfMatch ifMatch, FleetDirectory fleet, DeleteDevicePoolHandler handler, CancellationToken ct)
    {
        if (fleet.FindPool(pool) is not { } found)
            return Fault.NotFound("device-pool", pool);
        if (!ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale))
            return stale;
        var deleted = await handler.HandleAsync(new DeleteDevicePool(found.Id, expected), ct);
        return deleted.Match(_ => Answer.NoContent(), fault => fault);
    }

    private static async Task<Answer> SingleAsync(DevicePool pool, DevicePoolMapping mapping, CancellationToken ct) =>
        Answer.Ok((await mapping.ToResponsesAsync([pool], ct))[0], ETags.Of(pool.Generation));
}
