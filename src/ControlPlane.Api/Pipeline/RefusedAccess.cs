using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Domain;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Authorization.Policy;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Pipeline;

/// <summary>401 and 403 as problem details. A refused mutation of a known caller is audited like any other.</summary>
internal sealed class RefusedAccess(AuditTrail audit) : IAuthorizationMiddlewareResultHandler
{
    private static readonly Fault NoToken = new(
        FaultKind.Unauthenticated, "unauthenticated", "Send a valid token as 'Authorization: Bearer TOKEN'.");

    public async Task HandleAsync(RequestDelegate next, HttpContext context, AuthorizationPolicy policy, PolicyAuthorizationResult authorizeResult)
    {
        if (authorizeResult.Succeeded)
        {
            await next(context);
            return;
        }
        if (Caller.Find(context) is not { } caller)
        {
            context.Response.Headers.WWWAuthenticate = "Bearer";
            await ((Answer)NoToken).ExecuteAsync(context);
            return;
        }
        var role = context.GetEndpoint()?.Metadata.GetMetadata<MinimumRole>()?.Role;
        Answer answer = new Fault(
            FaultKind.Forbidden, "forbidden",
            $"This asks for the role {role?.ToString().ToLowerInvariant()}; the token '{caller.Name}' is {caller.Role.ToString().ToLowerInvariant()}.");
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
            await audit.RecordAsync(context, caller, answer);
        await answer.ExecuteAsync(context);
    }
}
