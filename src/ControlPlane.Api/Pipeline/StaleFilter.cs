using ControlPlane.Api.Conventions;
using ControlPlane.Domain;
using ControlPlane.Persistence.Writing;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Pipeline;

/// <summary>A change that came between the caller's If-Match and the commit is the 412 that the caller asked for.</summary>
internal sealed class StaleFilter : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var answer = (Answer)(await next(context))!;
        return answer.Code == WriteFaults.ChangedMeanwhileCode && context.HttpContext.Request.Headers.IfMatch.Count > 0
            ? (Answer)new Fault(FaultKind.Stale, "stale", "It was changed by another request after If-Match was read.")
            : answer;
    }
}
