using System.Text.Json.Serialization;

namespace ControlPlane.Contracts;

/// <summary>An error as RFC 9457 problem details (<c>application/problem+json</c>).</summary>
/// <param name="Type">A URI reference that names the kind of problem.</param>
/// <param name="Title">The kind of problem for people.</param>
/// <param name="Status">The HTTP status again.</param>
/// <param name="Detail">What is wrong here and what would mend it.</param>
/// <param name="Code">Stable and kebab-case, for programs.</param>
/// <param name="Errors">Messages by field path (<c>interfaces[0].mac</c>); absent when no field is to blame.</param>
/// <param name="TraceId">Finds this request in the logs.</param>
/// <param name="Explanation">Of a 507: per host every constraint that failed.</param>
public sealed record ProblemResponse(
    string Type,
    string Title,
    int Status,
    string Detail,
    string Code,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyDictionary<string, string[]>? Errors,
    string TraceId,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<HostExplanationResponse>? Explanation = null);

/// <summary>Whether the server lives or serves.</summary>
/// <param name="Status"><c>ok</c>, or <c>starting</c>, <c>stopping</c>, <c>unavailable</c>.</param>
/// <param name="Reason">Why it does not serve; null when it does.</param>
public sealed record HealthResponse(string Status, string? Reason);
