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

    private static Task<Answer> AttachDeviceAsync(
        string vm, Query query, Body<DeviceRequest> body, Caller caller, VmLookup lookup, AttachDeviceHandler handler, CancellationToken ct) =>
        lookup.OperateAsync(vm, query, caller, found => handler.HandleAsync(new AttachDevice(found.Id, body.Value.ToDraft()), ct), ct);

    private static Task<Answer> DetachDeviceAsync(
        string vm, string name, Query query, IfMatch ifMatch, Caller caller, VmLookup lookup, DetachDeviceHandler handler, CancellationToken ct) =>
        lookup.OperateAsync(
            vm, query, ifMatch, caller,
            (found, expected) => handler.HandleAsync(new DetachDevice(found.Id, name, Patience(query), expected), ct), ct);

    private static Task<Answer> AttachInterfaceAsync(
        string vm, Query query, Body<InterfaceRequest> body, Caller caller, VmLookup lookup, AttachInterfaceHandler handler, CancellationToken ct) =>
        lookup.OperateAsync(vm, query, caller, found => handler.HandleAsync(new AttachInterface(found.Id, body.Value.ToDraft()), ct), ct);

    private static Task<Answer> DetachInterfaceAsync(
        string vm, string name, Query query, IfMatch ifMatch, Caller caller, VmLookup lookup, DetachInterfaceHandler handler, CancellationToken ct) =>
        lookup.OperateAsync(
            vm, query, ifMatch, caller,
            (found, expected) => handler.HandleAsync(new DetachInterface(found.Id, name, Patience(query), expected), ct), ct);

    private static TimeSpan Patience(Query query) => TimeSpan.FromSeconds(query.Number(Timeout.Name) ?? DefaultTimeoutSeconds);
}
