using ControlPlane.Domain.Projects;
using Microsoft.AspNetCore.Builder;

namespace ControlPlane.Api.Access;

/// <summary>Endpoints beside the API itself that any token may read, or everyone where the installation is configured so.</summary>
public static class OpenableEndpoint
{
    public static TBuilder AllowViewers<TBuilder>(this TBuilder endpoint, bool open)
        where TBuilder : IEndpointConventionBuilder => open ? endpoint.AllowAnonymous() : endpoint.Allow(Role.Viewer);
}
