using ControlPlane.Api.Conventions;
using ControlPlane.Api.Hosts;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Inventory.Profiles;
using ControlPlane.Persistence.Reading;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Profiles;

/// <summary>HTTP for the hardware profiles that ship.</summary>
internal static class ProfileEndpoints
{
    private static readonly string[] Sorts = ["name"];

    private static readonly MemoryList<HostProfile> Listed = new("profiles", "name", profile => profile.Name);

    public static void MapProfiles(this IEndpointRouteBuilder routes) =>
        routes.MapNoun("/profiles", "Profiles").MapGet("", List)
            .Lists<ProfileResponse>("ListProfiles", "Lists the hardware profiles that ship", Role.Viewer)
            .WithList(Sorts, QueryParameter.Text("name", "Only the one of this name."));

    private static Answer List(Query query)
    {
        var profiles = ProfileCatalog.Shipped.Profiles.Where(p => query.Text("name") is not { } name || p.Name == name);
        return Listed.Read(profiles, Paging.Request(query, Sorts)).ToAnswer(ToResponse);
    }

    private static ProfileResponse ToResponse(HostProfile profile)
    {
        var inventory = profile.Hardware.Inventory;
        return new ProfileResponse(
            profile.Name, profile.Description, inventory.Capacity.ToResponse(), inventory.Cpu.ToResponse(), inventory.Functions.Count,
            inventory.Functions.Sum(f => f.Sriov?.TotalVfs ?? 0));
    }
}
