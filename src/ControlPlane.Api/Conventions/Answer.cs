using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Conventions;

/// <summary>What an endpoint answers, as a value: the conventions (waiting, idempotency, audit) look at it before it is written.</summary>
internal sealed class Answer : IResult
{
    private const string Json = "application/json";
    private const string ProblemJson = "application/problem+json";

    private Answer(int status, object? value, JsonTypeInfo? type) => (Status, Value, Type) = (status, value, type);

    public int Status { get; }

    public object? Value { get; }

    private JsonTypeInfo? Type { get; }

    public string? Location { get; init; }

    /// <summary>With its quotes.</summary>
    public string? ETag { get; init; }

    /// <summary>The problem's code; null for a success.</summary>
    public string? Code { get; private init; }

    /// <summary>What a 202 was accepted as; null for every other answer.</summary>
    public Operation? Operation { get; private init; }

    /// <summary>A stored answer that is given again: its body is final.</summary>
    public StoredAnswer? Replay { get; private init; }

    public bool IsSuccess => Status is >= 200 and < 300;

    public static Answer Ok<T>(T value, string? etag = null) => new(StatusCodes.Status200OK, value, TypeOf<T>()) { ETag = etag };

    public static Answer Created<T>(T value, string location, string? etag = null) =>
        new(StatusCodes.Status201Created, value, TypeOf<T>()) { Location = location, ETag = etag };

    /// <summary>202 with the operation, and where to watch it.</summary>
    public static Answer Accepted(Operation accepted, OperationResponse operation) =>
        new(StatusCodes.Status202Accepted, operation, TypeOf<OperationResponse>()) { Location = Routes.Operation(operation.Id), Operation = accepted };

    public static Answer NoContent() => new(StatusCodes.Status204NoContent, null, null);

    public static Answer Problem(ProblemResponse problem) =>
        new(problem.Status, problem, TypeOf<ProblemResponse>()) { Code = problem.Code };

    public static Answer From(StoredAnswer stored) =>
        new(stored.Status, null, null) { Location = stored.Location, ETag = stored.ETag, Replay = stored, Code = stored.Code };

    public static implicit operator Answer(Fault fault) => Problem(Problems.From(fault));

    /// <summary>The body's bytes, for the idempotency store.</summary>
    public byte[] Serialize() => Value is null ? [] : JsonSerializer.SerializeToUtf8Bytes(Value, Type!);

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = Status;
        if (Location is not null)
            response.Headers.Location = Location;
        if (ETag is not null)
            response.Headers.ETag = ETag;
        if (Status == StatusCodes.Status503ServiceUnavailable)
            response.Headers.RetryAfter = "1";
        if (Replay is not null)
        {
            response.Headers["Idempotency-Replayed"] = "true";
            if (Replay.Body.Length > 0)
            {
                response.ContentType = Code is null ? Json : ProblemJson;
                response.ContentLength = Replay.Body.Length;
                await response.BodyWriter.WriteAsync(Replay.Body, httpContext.RequestAborted);
            }
            return;
        }
        if (Value is null)
            return;
        response.ContentType = Code is null ? Json : ProblemJson;
        await JsonSerializer.SerializeAsync(response.BodyWriter, Value, Type!, httpContext.RequestAborted);
    }

    private static JsonTypeInfo TypeOf<T>() =>
        ContractsJson.Wire.GetTypeInfo(typeof(T)) ?? throw new InvalidOperationException($"{typeof(T)} is not listed in ContractsJson.");
}

/// <summary>An answer as the idempotency store keeps it.</summary>
internal sealed record StoredAnswer(int Status, string? Code, string? Location, string? ETag, byte[] Body);

/// <summary>Entity tags: a record's generation in quotes.</summary>
internal static class ETags
{
    public static string Of(Generation generation) => string.Create(CultureInfo.InvariantCulture, $"\"{generation.Value}\"");

    /// <summary>For what never changes once it is made.</summary>
    public const string Constant = "\"1\"";
}
