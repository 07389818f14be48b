using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Role = ControlPlane.Domain.Projects.Role;

namespace ControlPlane.Api.Pipeline;

/// <summary>What an endpoint says of itself; the OpenAPI document and the tests are made from it.</summary>
/// <param name="OperationId">Stable: clients are generated from it, the audit names it.</param>
/// <param name="Mutates">Audited, and as a POST idempotent by key.</param>
/// <param name="Problems">Statuses that are answered as problem details.</param>
internal sealed record EndpointDescription(
    string OperationId, string Summary, bool Mutates, int SuccessStatus, Type? AnswerType, bool HasETag, int[] Problems);

/// <summary>Another answer that the endpoint may give, by what it was asked: a plan, a stream.</summary>
internal sealed record AlternativeAnswer(int Status, Type Type, string MediaType, string Description);

/// <summary>
/// The few kinds of endpoints there are. Each kind brings the conventions it needs, in one order: audit, refusal of what cannot be
/// read, idempotency, waiting, the endpoint.
/// </summary>
internal static class EndpointKinds
{
    private static readonly int[] ReadProblems = [400, 401, 403, 404];
    private static readonly int[] AskProblems = [.. ReadProblems, 409, 503];
    private static readonly int[] RecordProblems = [400, 401, 403, 404, 409, 413, 415, 422, 429];
    private static readonly int[] StartProblems = [.. RecordProblems, 503, 507];

    public static RouteGroupBuilder MapNoun(this IEndpointRouteBuilder routes, string path, string tag) =>
        routes.MapGroup(Routes.Base + path).WithTags(tag);

    /// <summary>A GET of one thing.</summary>
    public static RouteHandlerBuilder Reads<T>(this RouteHandlerBuilder endpoint, string operationId, string summary, Role role) =>
        endpoint.Describe(new(operationId, summary, false, 200, typeof(T), true, ReadProblems), role)
            .AddEndpointFilter<RefusalFilter>();

    /// <summary>A GET of what a host knows at the moment: nothing here remembers it, so there is no ETag, and the host may be silent.</summary>
    public static RouteHandlerBuilder Asks<T>(this RouteHandlerBuilder endpoint, string operationId, string summary, Role role) =>
        endpoint.Describe(new(operationId, summary, false, 200, typeof(T), false, AskProblems), role)
            .AddEndpointFilter<RefusalFilter>();

    /// <summary>A GET of a page of things.</summary>
    public static RouteHandlerBuilder Lists<T>(this RouteHandlerBuilder endpoint, string operationId, string summary, Role role) =>
        endpoint.Describe(new(operationId, summary, false, 200, typeof(Page<T>), false, ReadProblems), role)
            .AddEndpointFilter<RefusalFilter>();

    /// <summary>A question that takes a body: a POST that changes nothing.</summary>
    public static RouteHandlerBuilder Answers<T>(this RouteHandlerBuilder endpoint, string operationId, string summary, Role role) =>
        endpoint.Describe(new(operationId, summary, false, 200, typeof(T), false, RecordProblems), role)
            .AddEndpointFilter<RefusalFilter>()
            .AddEndpointFilter<IdempotencyFilter>();

    /// <summary>A change that is recorded at once.</summary>
    public static RouteHandlerBuilder Records<T>(
        this RouteHandlerBuilder endpoint, string operationId, string summary, Role role, int status = StatusCodes.Status200OK) =>
        endpoint.Describe(new(operationId, summary, true, status, typeof(T), true, RecordProblems), role).Mutation();

    /// <summary>A removal that is recorded at once.</summary>
    public static RouteHandlerBuilder Removes(this RouteHandlerBuilder endpoint, string operationId, string summary, Role role) =>
        endpoint.Describe(new(operationId, summary, true, StatusCodes.Status204NoContent, null, false, RecordProblems), role).Mutation();

    /// <summary>Long work: 202 with an operation, held back while the caller wants to wait.</summary>
    public static RouteHandlerBuilder Starts(
        this RouteHandlerBuilder endpoint, string operationId, string summary, Role role, params QueryParameter[] query) =>
        endpoint.Describe(new(operationId, summary, true, StatusCodes.Status202Accepted, typeof(OperationResponse), false, StartProblems), role)
            .WithQuery([Waiting.Parameter, .. query])
            .Mutation()
            .AddEndpointFilter<WaitFilter>();

    public static RouteHandlerBuilder AlsoAnswers<T>(
        this RouteHandlerBuilder endpoint, int status, string description, string mediaType = "application/json") =>
        endpoint.WithMetadata(new AlternativeAnswer(status, typeof(T), mediaType, description));

    private static RouteHandlerBuilder Mutation(this RouteHandlerBuilder endpoint) =>
        endpoint.AddEndpointFilter<AuditedFilter>()
            .AddEndpointFilter<RefusalFilter>()
            .AddEndpointFilter<IdempotencyFilter>()
            .AddEndpointFilter<StaleFilter>();

    private static RouteHandlerBuilder Describe(this RouteHandlerBuilder endpoint, EndpointDescription description, Role role) =>
        endpoint.WithName(description.OperationId).WithMetadata(description).Allow(role);
}
