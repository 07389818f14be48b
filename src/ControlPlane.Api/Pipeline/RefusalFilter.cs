using ControlPlane.Api.Conventions;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Pipeline;

/// <summary>Answers the problem of a query or body that could not be read, before the endpoint runs.</summary>
internal sealed class RefusalFilter : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (Query.Of(context.HttpContext).Refusal is { } badQuery)
            return ValueTask.FromResult<object?>(badQuery);
        foreach (var argument in context.Arguments)
        {
            if (argument is IBody { Refusal: { } refusal })
                return ValueTask.FromResult<object?>(refusal);
        }
        return next(context);
    }
}
