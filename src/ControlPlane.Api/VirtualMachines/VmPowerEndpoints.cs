using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Orchestration.VirtualMachines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.VirtualMachines;

/// <summary>HTTP for a VM's power.</summary>
internal static class VmPowerEndpoints
{
    private static readonly TimeSpan GuestsTimeToPowerOff = TimeSpan.FromSeconds(60);

    public static void MapPower(this IEndpointRouteBuilder vms)
    {
        vms.MapPost("/{vm}/start", StartAsync).Starts("StartVirtualMachine", "Starts a stopped VM", Role.Member, QueryParameter.Project);
        vms.MapPost("/{vm}/stop", StopAsync)
            .Starts("StopVirtualMachine", "Asks the guest to power off, or pulls the plug", Role.Member, QueryParameter.Project);
        vms.MapPost("/{vm}/reboot", RebootAsync).Starts("RebootVirtualMachine", "Reboots a running VM", Role.Member, QueryParameter.Project);
        vms.MapPost("/{vm}/pause", PauseAsync).Starts("PauseVirtualMachine", "Holds a running VM's CPUs", Role.Member, QueryParameter.Project);
        vms.MapPost("/{vm}/resume", ResumeAsync).Starts("ResumeVirtualMachine", "Lets a paused VM run on", Role.Member, QueryParameter.Project);
    }

    private static async Task<Answer> StartAsync(
        string vm, Query query, Body<EmptyRequest> body, Caller caller, VmLookup lookup, StartVirtualMachineHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        var found = await lookup.FindAsync(vm, query, caller, ct);
        return found.Succeeded ? operations.Accepted(await handler.HandleAsync(new StartVirtualMachine(found.Value.Id), ct)) : found.Fault;
    }

    private static async Task<Answer> StopAsync(
        string vm, Query query, Body<StopVirtualMachineRequest> body, Caller caller, VmLookup lookup, StopVirtualMachineHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        var request = body.Value;
        var found = await lookup.FindAsync(vm, query, caller, ct);
        if (!found.Succeeded)
            return found.Fault;
        var timeout = request.TimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : request.Force ? TimeSpan.Zero : GuestsTimeToPowerOff;
        return operations.Accepted(await handler.HandleAsync(new StopVirtualMachine(found.Value.Id, request.Force, timeout), ct));
    }

    private static async Task<Answer> RebootAsync(
        string vm, Query query, Body<EmptyRequest> body, Caller caller, VmLookup lookup, RebootVirtualMachineHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        var found = await lookup.FindAsync(vm, query, caller, ct);
        return found.Succeeded ? operations.Accepted(await handler.HandleAsync(new RebootVirtualMachine(found.Value.Id), ct)) : found.Fault;
    }

    private static async Task<Answer> PauseAsync(
        string vm, Query query, Body<EmptyRequest> body, Caller caller, VmLookup lookup, PauseVirtualMachineHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        var found = await lookup.FindAsync(vm, query, caller, ct);
        return found.Succeeded ? operations.Accepted(await handler.HandleAsync(new PauseVirtualMachine(found.Value.Id), ct)) : found.Fault;
    }

    private static async Task<Answer> ResumeAsync(
        string vm, Query query, Body<EmptyRequest> body, Caller caller, VmLookup lookup, ResumeVirtualMachineHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        var found = await lookup.FindAsync(vm, query, caller, ct);
        return found.Succeeded ? operations.Accepted(await handler.HandleAsync(new ResumeVirtualMachine(found.Value.Id), ct)) : found.Fault;
    }
}
