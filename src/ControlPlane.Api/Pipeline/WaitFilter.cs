using ControlPlane.Api.Conventions;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Orchestration.Operations;
using ControlPlane.Persistence.Operations;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;

namespace ControlPlane.Api.Pipeline;

/// <summary>Holds a 202 until its operation ends or the caller's patience does.</summary>
internal sealed class WaitFilter(OperationWaiter waiter, OperationStore operations, OperationMapping mapping, IHostApplicationLifetime lifetime) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var answer = (Answer)(await next(context))!;
        var patience = Waiting.Wanted(context.HttpContext);
        if (patience <= TimeSpan.Zero || answer is not { Status: StatusCodes.Status202Accepted, Value: OperationResponse accepted })
            return answer;
        var ct = context.HttpContext.RequestAborted;
        if (await waiter.WaitAsync(OperationId.From(Guid.Parse(accepted.Id)), patience, lifetime.ApplicationStopping, ct) is not { } operation)
            return answer;
        return Answer.Accepted(mapping.ToResponse(operation, await operations.StepsAsync(operation.Id, ct)));
    }
}
