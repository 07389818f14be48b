using System.Globalization;
using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Reading;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.PciDevices;

/// <summary>HTTP for PCI functions, of one host and of all.</summary>
internal static class PciDeviceEndpoints
{
    private static readonly string[] GroupSorts = ["group"];

    private static readonly MemoryList<IommuGroupResponse> Groups =
        new("iommu-groups", "group", g => g.Group.ToString("D10", CultureInfo.InvariantCulture));

    public static void MapPciDevices(this IEndpointRouteBuilder routes)
    {
        routes.MapNoun("/pci-devices", "PCI devices").MapGet("", ListAsync)
            .Lists<PciDeviceResponse>("ListPciDevices", "Lists PCI functions over all hosts", Role.Viewer)
            .WithList(DeviceListing.Sorts, [.. DeviceListing.Filters, DeviceListing.Host]);
        var devices = routes.MapNoun("/hosts/{host}", "PCI devices");
        devices.MapGet("/pci-devices", ListOfHostAsync)
            .Lists<PciDeviceResponse>("ListHostPciDevices", "Lists a host's PCI functions, bridges included, in topological order", Role.Viewer)
            .WithList(DeviceListing.Sorts, DeviceListing.Filters);
        devices.MapGet("/iommu-groups", ListGroupsAsync)
            .Lists<IommuGroupResponse>("ListIommuGroups", "Lists a host's IOMMU groups", Role.Viewer)
            .WithList(GroupSorts, QueryParameter.Flag("assignable", "Only those that can, or cannot, be assigned."));
        devices.MapGet("/pci-devices/{address}", GetAsync).Reads<PciDeviceResponse>("GetPciDevice", "Reads a PCI function", Role.Viewer);
        devices.MapPatch("/pci-devices/{address}", UpdateAsync)
            .Records<PciDeviceResponse>("UpdatePciDevice", "Says whether guests may have a function", Role.Operator);
        devices.MapPut("/pci-devices/{address}/virtual-functions", SetCountAsync)
            .Starts("SetVirtualFunctionCount", "Sets how many virtual functions a physical one has", Role.Operator);
        devices.MapPost("/pci-devices/{address}/release-quarantine", ReleaseAsync)
            .Starts("ReleaseQuarantine", "Cleans a quarantined function again", Role.Operator);
    }

    private static Task<Answer> ListAsync(Query query, Caller caller, DeviceListing listing, CancellationToken ct) =>
        listing.ListAsync(query, null, caller, ct);

    private static async Task<Answer> ListOfHostAsync(
        string host, Query query, Caller caller, FleetDirectory fleet, DeviceListing listing, CancellationToken ct) =>
        fleet.FindHost(host) is { } found ? await listing.ListAsync(query, found.Id, caller, ct) : Fault.NotFound("host", host);

    private static async Task<Answer> ListGroupsAsync(
        string host, Query query, Caller caller, FleetDirectory fleet, DeviceStore store, DeviceOwners owners, CancellationToken ct)
    {
        if (fleet.FindHost(host) is not { } found)
            return Fault.NotFound("host", host);
        var groups = await owners.ToGroupsAsync(await store.ByHostAsync(found.Id, ct), caller, ct);
        var wanted = groups.Where(g => query.Flag("assignable") is not { } assignable || g.Assignable == assignable);
        return Groups.Read(wanted, Paging.Request(query, GroupSorts)).ToAnswer(g => g);
    }

    private static async Task<Answer> GetAsync(
        string host, string address, Caller caller, FleetDirectory fleet, DeviceStore store, DeviceOwners owners, CancellationToken ct)
    {
        var found = await FindAsync(host, address, fleet, store, ct);
        return found.Succeeded ? await SingleAsync(found.Value.Device, owners, caller, ct) : found.Fault;
    }

    private static async Task<Answer> UpdateAsync(
        string host, string address, Body<UpdatePciDeviceRequest> body, IfMatch ifMatch, Caller caller, FleetDirectory fleet, DeviceStore store,
        DeviceOwners owners, UpdatePciDeviceHandler handler, CancellationToken ct)
    {
        if (!(await FindAsync(host, address, fleet, store, ct)).TryGet(out var found, out var missing))
            return missing;
        if (!ifMatch.Expect(found.Device.Ownership.Generation).TryGet(out var expected, out var stale))
            return stale;
        var command = new UpdatePciDevice(found.Host.Id, found.Device.Address, body.Value.Assignable, body.Value.HostCritical, expected);
        var updated = await handler.HandleAsync(command, ct);
        return updated.Succeeded ? await SingleAsync(updated.Value, owners, caller, ct) : updated.Fault;
    }

    private static async Task<Answer> SetCountAsync(
        string host, string address, Body<SetVirtualFunctionCountRequest> body, IfMatch ifMatch, FleetDirectory fleet, DeviceStore store,
        SetVirtualFunctionCountHandler handler, OperationMapping operations, CancellationToken ct)
    {
        if (!(await FindAsync(host, address, fleet, store, ct)).TryGet(out var found, out var missing))
            return missing;
        if (!ifMatch.Expect(found.Device.Ownership.Generation).TryGet(out _, out var stale))
            return stale;
        return operations.Accepted(
            await handler.HandleAsync(new SetVirtualFunctionCount(found.Host.Id, found.Device.Address, body.Value.Count), ct));
    }

    private static async Task<Answer> ReleaseAsync(
        string host, string address, Body<EmptyRequest> body, FleetDirectory fleet, DeviceStore store, ReleaseQuarantineHandler handler,
        OperationMapping operations, CancellationToken ct)
    {
        var found = await FindAsync(host, address, fleet, store, ct);
        return found.Succeeded
            ? operations.Accepted(await handler.HandleAsync(new ReleaseQuarantine(found.Value.Host.Id, found.Value.Device.Address), ct))
            : found.Fault;
    }

    private static async Task<Outcome<(Host Host, PciDevice Device)>> FindAsync(
        string host, string address, FleetDirectory fleet, DeviceStore store, CancellationToken ct)
    {
        if (fleet.FindHost(host) is not { } found)
            return Fault.NotFound("host", host);
        return PciAddress.TryParse(address, out var parsed) && await store.FindAsync(found.Id, parsed, ct) is { Present: true } device
            ? (found, device)
            : Fault.NotFound("pci-device", address);
    }

    private static async Task<Answer> SingleAsync(PciDevice device, DeviceOwners owners, Caller caller, CancellationToken ct) =>
        Answer.Ok((await owners.ToResponsesAsync([device], caller, ct))[0], ETags.Of(device.Ownership.Generation));
}
