using ControlPlane.Api.Conventions;
using ControlPlane.Orchestration.Operations;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace ControlPlane.Api.Pipeline;

/// <summary>Holds a 202 until its operation ends or the caller's patience does.</summary>
internal sealed class WaitFilter(OperationWaiter waiter, OperationMapping mapping, IHostApplicationLifetime lifetime) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var answer = (Answer)(await next(context))!;
        var patience = Waiting.Wanted(context.HttpContext);
        if (patience <= TimeSpan.Zero || answer.Operation is not { } accepted)
            return answer;
        var reached = await waiter.WaitAsync(accepted, patience, lifetime.ApplicationStopping, context.HttpContext.RequestAborted);
        return reached is null ? answer : mapping.Accepted(reached);
    }
}
