using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Api.Pipeline;
using ControlPlane.Api.VirtualMachines;
using ControlPlane.Contracts;
using ControlPlane.Orchestration.Placements;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Placements;

/// <summary>HTTP for questions to the scheduler.</summary>
internal static class PlacementEndpoints
{
    public static void MapPlacements(this IEndpointRouteBuilder routes) =>
        routes.MapNoun("/placements", "Placements").MapPost("/explain", Explain)
            .Answers<PlacementResponse>("ExplainPlacement", "Says where a VM would go now, and why not elsewhere", Role.Viewer);

    private static Answer Explain(
        Body<CreateVirtualMachineRequest> body, Caller caller, ProjectScope projects, ExplainPlacementHandler handler)
    {
        if (!projects.Resolve(caller, body.Value.Project).TryGet(out var project, out var unknown))
            return unknown;
        var explained = handler.Handle(body.Value.ToDraft(project.Id));
        return explained.Match(e => Answer.Ok(PlacementMapping.ToResponse(e)), fault => fault);
    }
}
