using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Api.VirtualMachines;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Statistics;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Statistics;

/// <summary>HTTP for what hosts count: read from the host at the moment, and kept nowhere.</summary>
internal static class StatisticsEndpoints
{
    public static void MapStatistics(this IEndpointRouteBuilder routes)
    {
        routes.MapNoun("/vms", "Virtual machines").MapGet("/{vm}/statistics", OfVirtualMachineAsync)
            .Asks<VirtualMachineStatisticsResponse>("GetVirtualMachineStatistics", "Reads what a VM's host has counted about it", Role.Viewer)
            .WithQuery(QueryParameter.Project);
        routes.MapNoun("/hosts", "Hosts").MapGet("/{host}/statistics", OfHostAsync)
            .Asks<HostStatisticsResponse>("GetHostStatistics", "Reads what a host has counted, and the DMA it has blocked", Role.Viewer);
    }

    private static async Task<Answer> OfVirtualMachineAsync(
        string vm, Query query, Caller caller, VmLookup lookup, FleetDirectory fleet, StatisticsReader reader, CancellationToken ct)
    {
        if (!(await lookup.FindAsync(vm, query, caller, ct)).TryGet(out var found, out var missing))
            return missing;
        var read = await reader.ReadAsync(found, ct);
        return read.Match(s => Answer.Ok(s.ToResponse(found.Name, fleet.FindHost(found.Host!.Value)?.Name ?? "")), fault => fault);
    }

    private static async Task<Answer> OfHostAsync(string host, FleetDirectory fleet, StatisticsReader reader, CancellationToken ct)
    {
        if (fleet.FindHost(host) is not { } found)
            return Fault.NotFound("host", host);
        var read = await reader.ReadAsync(found, ct);
        return read.Match(s => Answer.Ok(s.ToResponse(found.Name)), fault => fault);
    }
}
