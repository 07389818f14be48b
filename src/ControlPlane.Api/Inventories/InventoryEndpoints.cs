using ControlPlane.Api.Conventions;
using ControlPlane.Api.Hosts;
using ControlPlane.Api.PciDevices;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Orchestration.Inventories;
using ControlPlane.Persistence.Inventories;
using ControlPlane.Persistence.Records;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Inventories;

/// <summary>HTTP for uploaded inventories.</summary>
internal static class InventoryEndpoints
{
    private const string Collection = "inventories";

    public static void MapInventories(this IEndpointRouteBuilder routes)
    {
        var inventories = routes.MapNoun("/inventories", "Inventories");
        inventories.MapGet("", ListAsync).Lists<InventorySummaryResponse>("ListInventories", "Lists uploaded inventories", Role.Viewer)
            .WithList(Paging.NameOrCreation, QueryParameter.Text("name", "Only the one of this name."));
        inventories.MapPost("", CreateAsync)
            .Records<InventoryResponse>(
                "CreateInventory", "Reads a host's description and keeps it as a profile for emulated hosts", Role.Operator,
                StatusCodes.Status201Created)
            .WithMetadata(BodyLimit.Inventories);
        inventories.MapGet("/{inventory}", GetAsync).Reads<InventoryResponse>("GetInventory", "Reads an inventory", Role.Viewer);
    }

    private static async Task<Answer> ListAsync(Query query, InventoryStore store, CancellationToken ct)
    {
        var found = await store.ListAsync(query.Text("name"), Paging.Request(query, Paging.NameOrCreation), ct);
        return found.ToAnswer(i => new InventorySummaryResponse(i.Id.ToString(), i.Name, i.DeviceCount, i.WarningCount, i.CreatedAt));
    }

    private static Task<Answer> CreateAsync(
        Body<CreateInventoryRequest> body, CreateInventoryHandler handler, RecordedAnswer answer, CancellationToken ct)
    {
        var request = body.Value;
        var source = new InventorySource(request.Lspci, request.IommuGroups, request.Lscpu, request.NodeDevices ?? [], request.Capabilities);
        return answer.OfAsync(
            () => handler.HandleAsync(new CreateInventory(request.Name, source), ct),
            made => Answer.Created(ToResponse(made), Routes.To(Collection, made.Id.ToString()), ETags.Constant));
    }

    private static async Task<Answer> GetAsync(string inventory, InventoryStore store, CancellationToken ct)
    {
        var found = Guid.TryParse(inventory, out var id) ? await store.FindAsync(InventoryId.From(id), ct)
            : DnsLabel.IsValid(inventory) ? await store.FindByNameAsync(inventory, ct)
            : null;
        return found is null ? Fault.NotFound("inventory", inventory) : Answer.Ok(ToResponse(found), ETags.Constant);
    }

    private static InventoryResponse ToResponse(StoredInventory inventory) => new(
        inventory.Id.ToString(), inventory.Name, inventory.Parsed.Capacity.ToResponse(), inventory.Parsed.Cpu.ToResponse(),
        [.. inventory.Parsed.Functions.Select(f => f.ToResponse())],
        [.. inventory.Warnings.Select(w => new InventoryWarningResponse(w.Source, w.Line, w.Message))], inventory.CreatedAt);
}
