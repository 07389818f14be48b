using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Orchestration.VirtualMachines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.VirtualMachines;

/// <summary>HTTP for hot-plug and hot-unplug.</summary>
internal static class VmDeviceEndpoints
{
    private static readonly QueryParameter Timeout =
        QueryParameter.Number("timeoutSeconds", "How long the guest may take to let it go.", 1, 600) with { Default = DefaultTimeoutSeconds };

    private const int DefaultTimeoutSeconds = 30;

    public static void MapDevices(this IEndpointRouteBuilder vms)
    {
        vms.MapPost("/{vm}/devices", AttachDeviceAsync)
            .Starts("AttachDevice", "Plugs devices of a pool into a VM", Role.Member, QueryParameter.Project);
        vms.MapDelete("/{vm}/devices/{name}", DetachDeviceAsync)
            .Starts("DetachDevice", "Unplugs a device request from a VM", Role.Member, QueryParameter.Project, Timeout);
        vms.MapPost("/{vm}/interfaces", AttachInterfaceAsync)
            .Starts("AttachInterface", "Plugs an interface into a VM", Role.Member, QueryParameter.Project);
        vms.MapDelete("/{vm}/interfaces/{name}", DetachInterfaceAsync)
            .Starts("DetachInterface", "Unplugs an interface from a VM", Role.Member, QueryParameter.Project, Timeout);
    }

    private static async Task<Answer> AttachDeviceAsync(
        string vm, Query query, Body<DeviceRequest> body, Caller caller, VmLookup lookup, AttachDeviceHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        var found = await lookup.FindAsync(vm, query, caller, ct);
        return found.Succeeded
            ? operations.Accepted(await handler.HandleAsync(new AttachDevice(found.Value.Id, body.Value.ToDraft()), ct))
            : found.Fault;
    }

    private static async Task<Answer> DetachDeviceAsync(
        string vm, string name, Query query, IfMatch ifMatch, Caller caller, VmLookup lookup, DetachDeviceHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        if (!(await lookup.FindAsync(vm, query, caller, ct)).TryGet(out var found, out var missing))
            return missing;
        if (!ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale))
            return stale;
        return operations.Accepted(await handler.HandleAsync(new DetachDevice(found.Id, name, Patience(query), expected), ct));
    }

    private static async Task<Answer> AttachInterfaceAsync(
        string vm, Query query, Body<InterfaceRequest> body, Caller caller, VmLookup lookup, AttachInterfaceHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        var found = await lookup.FindAsync(vm, query, caller, ct);
        return found.Succeeded
            ? operations.Accepted(await handler.HandleAsync(new AttachInterface(found.Value.Id, body.Value.ToDraft()), ct))
            : found.Fault;
    }

    private static async Task<Answer> DetachInterfaceAsync(
        string vm, string name, Query query, IfMatch ifMatch, Caller caller, VmLookup lookup, DetachInterfaceHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        if (!(await lookup.FindAsync(vm, query, caller, ct)).TryGet(out var found, out var missing))
            return missing;
        if (!ifMatch.Expect(found.Generation).TryGet(out var expected, out var stale))
            return stale;
        return operations.Accepted(await handler.HandleAsync(new DetachInterface(found.Id, name, Patience(query), expected), ct));
    }

    private static TimeSpan Patience(Query query) => TimeSpan.FromSeconds(query.Number(Timeout.Name) ?? DefaultTimeoutSeconds);
}
