using ControlPlane.Domain.Projects;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Access;

/// <summary>The least role that an endpoint asks for, as metadata: the tests and the OpenAPI document read it, the policy enforces it.</summary>
internal sealed record MinimumRole(Role Role);

/// <summary>One policy for each role. Roles are a ladder: an operator may do for any project what a member may do for one.</summary>
internal static class RolePolicies
{
    public static string Name(Role role) => $"at-least-{role.ToString().ToLowerInvariant()}";

    public static TBuilder Allow<TBuilder>(this TBuilder builder, Role role)
        where TBuilder : IEndpointConventionBuilder =>
        builder.RequireAuthorization(Name(role)).WithMetadata(new MinimumRole(role));

    public static void AddRolePolicies(this AuthorizationOptions options)
    {
        foreach (var role in Enum.GetValues<Role>())
            options.AddPolicy(Name(role), policy => policy.RequireAuthenticatedUser().RequireAssertion(
                context => context.Resource is HttpContext http && Caller.Find(http) is { } caller && caller.Role >= role));
        // Whatever has no rule of its own, also a path that leads nowhere, asks for a valid token.
        options.FallbackPolicy = new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build();
    }
}
