using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Orchestration;
using ControlPlane.Persistence.Audit;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Pipeline;

/// <summary>Who asked for which mutation, from where, with what result.</summary>
internal sealed class AuditTrail(AuditStore store, BatchingWriter writer, IIdSource ids, TimeProvider clock)
{
    private const int TargetLengthMax = 1024;

    /// <summary>Adds the line to the unit of the mutation itself: it stands if and only if the mutation does.</summary>
    public void Append(WriteUnit unit, HttpContext context, Caller caller, int status, Operation? operation) =>
        store.Append(unit, Entry(context, caller, status, null, operation?.Project ?? caller.Project));

    /// <summary>A line of its own, for what changed nothing.</summary>
    public async Task RecordAsync(HttpContext context, Caller caller, Answer answer)
    {
        var unit = new WriteUnit();
        store.Append(unit, Entry(context, caller, answer.Status, answer.Code, caller.Project));
        // The answer does not depend on it: what was refused stays refused, also when the database is away.
        await writer.CommitAsync(unit, context.RequestAborted);
    }

    private AuditEntry Entry(HttpContext context, Caller caller, int status, string? code, ProjectId? project)
    {
        var action = context.GetEndpoint()?.Metadata.GetMetadata<EndpointDescription>()?.OperationId ?? "unknown";
        var target = context.Request.Path.Value ?? "";
        return new AuditEntry(
            ids.Next(), clock.GetUtcNow(), caller.Token, caller.Name, context.Connection.RemoteIpAddress?.ToString(), context.Request.Method,
            action, target.Length <= TargetLengthMax ? target : target[..TargetLengthMax], project, status, code, Problems.TraceId());
    }
}

/// <summary>Audits a mutation: with its commit when it makes one, else by itself.</summary>
internal sealed class AuditedFilter(AuditTrail trail, MutationContext mutation) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var caller = Caller.Find(http)!;
        var status = http.GetEndpoint()!.Metadata.GetRequiredMetadata<EndpointDescription>().SuccessStatus;
        mutation.Join((unit, operation) => trail.Append(unit, http, caller, status, operation));
        var answer = (Answer)(await next(context))!;
        if (!mutation.IsAttached || !answer.IsSuccess)
            await trail.RecordAsync(http, caller, answer);
        return answer;
    }
}
