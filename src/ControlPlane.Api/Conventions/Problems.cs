using System.Diagnostics;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Conventions;

/// <summary>The one place where a fault becomes an HTTP status.</summary>
internal static class Problems
{
    public static ProblemResponse From(Fault fault)
    {
        var (status, title) = fault.Kind switch
        {
            FaultKind.Malformed => (StatusCodes.Status400BadRequest, "Malformed request"),
            FaultKind.Unauthenticated => (StatusCodes.Status401Unauthorized, "Not authenticated"),
            FaultKind.Forbidden => (StatusCodes.Status403Forbidden, "Forbidden"),
            FaultKind.NotFound => (StatusCodes.Status404NotFound, "Not found"),
            FaultKind.Conflict => (StatusCodes.Status409Conflict, "Conflict"),
            FaultKind.Stale => (StatusCodes.Status412PreconditionFailed, "Precondition failed"),
            FaultKind.Impossible => (StatusCodes.Status422UnprocessableEntity, "Impossible request"),
            FaultKind.LimitExceeded => (StatusCodes.Status429TooManyRequests, "Limit exceeded"),
            FaultKind.NoPlacement => (StatusCodes.Status507InsufficientStorage, "No placement"),
            FaultKind.Unavailable => (StatusCodes.Status503ServiceUnavailable, "Unavailable"),
            _ => throw new UnreachableException($"{fault.Kind} has no status."),
        };
        return Create(status, title, fault.Code, fault.Detail) with
        {
            Errors = fault.Errors.Count == 0 ? null : fault.Errors,
            Explanation = Explanations.From(fault.Extension),
        };
    }

    /// <summary>A problem of HTTP itself (method, media type, size), which no fault of the domain stands for.</summary>
    public static Answer Http(int status, string detail)
    {
        var (code, title) = status switch
        {
            StatusCodes.Status400BadRequest => ("malformed-request", "Malformed request"),
            StatusCodes.Status404NotFound => ("no-such-route", "Not found"),
            StatusCodes.Status405MethodNotAllowed => ("method-not-allowed", "Method not allowed"),
            StatusCodes.Status408RequestTimeout => ("request-timeout", "Request timeout"),
            StatusCodes.Status413PayloadTooLarge => ("body-too-large", "Body too large"),
            StatusCodes.Status415UnsupportedMediaType => ("unsupported-media-type", "Unsupported media type"),
            StatusCodes.Status503ServiceUnavailable => ("unavailable", "Unavailable"),
            StatusCodes.Status500InternalServerError => ("internal-error", "Internal error"),
            _ => ("http-error", "Request failed"),
        };
        return Answer.Problem(Create(status, title, code, detail));
    }

    private static ProblemResponse Create(int status, string title, string code, string detail) =>
        new($"urn:controlplane:problem:{code}", title, status, detail, code, null, TraceId());

    /// <summary>W3C trace id of the request; every log line of it carries the same one.</summary>
    public static string TraceId() => Activity.Current?.TraceId.ToHexString() ?? "";
}
