using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.VirtualMachines;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.VirtualMachines;

/// <summary>HTTP for virtual machines: their life. Devices, interfaces and power have files of their own.</summary>
internal static class VirtualMachineEndpoints
{
    public static void MapVirtualMachines(this IEndpointRouteBuilder routes)
    {
        var vms = routes.MapNoun("/vms", "Virtual machines");
        vms.MapGet("", ListAsync).Lists<VirtualMachineResponse>("ListVirtualMachines", "Lists the VMs of a project", Role.Viewer)
            .WithList(VmListing.Sorts, VmListing.Filters);
        vms.MapPost("", CreateAsync).Starts("CreateVirtualMachine", "Places, makes and starts a VM", Role.Member);
        vms.MapGet("/{vm}", GetAsync).Reads<VirtualMachineResponse>("GetVirtualMachine", "Reads a VM", Role.Viewer)
            .WithQuery(QueryParameter.Project);
        vms.MapPatch("/{vm}", UpdateAsync).Records<VirtualMachineResponse>("UpdateVirtualMachine", "Changes the labels of a VM", Role.Member)
            .WithQuery(QueryParameter.Project);
        vms.MapDelete("/{vm}", DeleteAsync).Starts("DeleteVirtualMachine", "Stops and deletes a VM", Role.Member, QueryParameter.Project);
        vms.MapPower();
        vms.MapDevices();
    }

    private static async Task<Answer> ListAsync(Query query, Caller caller, VmListing listing, CancellationToken ct) =>
        await listing.ListAsync(query, caller, ct);

    private static async Task<Answer> CreateAsync(
        Body<CreateVirtualMachineRequest> body, Caller caller, ProjectScope projects, CreateVirtualMachineHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        if (!projects.Resolve(caller, body.Value.Project).TryGet(out var project, out var unknown))
            return unknown;
        var accepted = await handler.HandleAsync(body.Value.ToDraft(project.Id), ct);
        return operations.Accepted(accepted.Map(a => a.Operation));
    }

    private static async Task<Answer> GetAsync(
        string vm, Query query, Caller caller, VmLookup lookup, VmMapping mapping, CancellationToken ct)
    {
        var found = await lookup.FindAsync(vm, query, caller, ct);
        return found.Match(v => Single(v, mapping), fault => fault);
    }

    private static async Task<Answer> UpdateAsync(
        string vm, Query query, Body<UpdateVirtualMachineRequest> body, IfMatch ifMatch, Caller caller, VmLookup lookup, VmMapping mapping,
        UpdateVirtualMachineHandler handler, CancellationToken ct)
    {
        var updated = await LabelPatch.RetryAsync(ifMatch, async () =>
        {
            if (!(await lookup.FindAsync(vm, query, caller, ct)).TryGet(out var found, out var missing))
                return missing;
            if (!ifMatch.Expect(found.Generation).TryGet(out _, out var stale))
                return stale;
            var labels = LabelPatch.Apply(found.Spec.Labels, body.Value.Labels);
            return await handler.HandleAsync(new UpdateVirtualMachine(found.Id, labels, found.Generation), ct);
        });
        return updated.Match(v => Single(v, mapping), fault => fault);
    }

    private static Task<Answer> DeleteAsync(
        string vm, Query query, IfMatch ifMatch, Caller caller, VmLookup lookup, DeleteVirtualMachineHandler handler, CancellationToken ct) =>
        lookup.OperateAsync(
            vm, query, ifMatch, caller, (found, expected) => handler.HandleAsync(new DeleteVirtualMachine(found.Id, expected), ct), ct);

    private static Answer Single(VirtualMachine vm, VmMapping mapping) => Answer.Ok(mapping.ToResponse(vm), ETags.Of(vm.Generation));
}
