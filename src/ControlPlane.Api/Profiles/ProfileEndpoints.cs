using ControlPlane.Api.Conventions;
using ControlPlane.Api.Hosts;
using ControlPlane.Api.Pipeline;
using ControlPlane.Contracts;
using ControlPlane.Inventory.Profiles;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Profiles;

/// <summary>HTTP for the hardware profiles that ship.</summary>
internal static class ProfileEndpoints
{
    public static void MapProfiles(this IEndpointRouteBuilder routes) =>
        routes.MapNoun("/profiles", "Profiles").MapGet("", List)
            .Lists<ProfileResponse>("ListProfiles", "Lists the hardware profiles that ship", Role.Viewer);

    private static Answer List() => Answer.Ok(new Page<ProfileResponse>(
        [.. ProfileCatalog.Shipped.Profiles.OrderBy(p => p.Name, StringComparer.Ordinal).Select(ToResponse)], null));

    private static ProfileResponse ToResponse(HostProfile profile)
    {
        var inventory = profile.Hardware.Inventory;
        return new ProfileResponse(
            profile.Name, profile.Description, inventory.Capacity.ToResponse(), inventory.Cpu.ToResponse(), inventory.Functions.Count,
            inventory.Functions.Sum(f => f.Sriov?.TotalVfs ?? 0));
    }
}
