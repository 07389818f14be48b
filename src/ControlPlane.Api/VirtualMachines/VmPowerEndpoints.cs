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

    private static Task<Answer> StartAsync(
        string vm, Query query, Body<EmptyRequest> body, Caller caller, VmLookup lookup, StartVirtualMachineHandler handler, CancellationToken ct) =>
        lookup.OperateAsync(vm, query, caller, found => handler.HandleAsync(new StartVirtualMachine(found.Id), ct), ct);

    private static Task<Answer> StopAsync(
        string vm, Query query, Body<StopVirtualMachineRequest> body, Caller caller, VmLookup lookup, StopVirtualMachineHandler handler,
        CancellationToken ct)
    {
        var (force, given) = body.Value;
        var timeout = given is { } seconds ? TimeSpan.FromSeconds(seconds) : force ? TimeSpan.Zero : GuestsTimeToPowerOff;
        return lookup.OperateAsync(vm, query, caller, found => handler.HandleAsync(new StopVirtualMachine(found.Id, force, timeout), ct), ct);
    }

    private static Task<Answer> RebootAsync(
        string vm, Query query, Body<EmptyRequest> body, Caller caller, VmLookup lookup, RebootVirtualMachineHandler handler, CancellationToken ct) =>
        lookup.OperateAsync(vm, query, caller, found => handler.HandleAsync(new RebootVirtualMachine(found.Id), ct), ct);

    private static Task<Answer> PauseAsync(
        string vm, Query query, Body<EmptyRequest> body, Caller caller, VmLookup lookup, PauseVirtualMachineHandler handler, CancellationToken ct) =>
        lookup.OperateAsync(vm, query, caller, found => handler.HandleAsync(new PauseVirtualMachine(found.Id), ct), ct);

    private static Task<Answer> ResumeAsync(
        string vm, Query query, Body<EmptyRequest> body, Caller caller, VmLookup lookup, ResumeVirtualMachineHandler handler, CancellationToken ct) =>
        lookup.OperateAsync(vm, query, caller, found => handler.HandleAsync(new ResumeVirtualMachine(found.Id), ct), ct);
}
