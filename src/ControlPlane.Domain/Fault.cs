namespace ControlPlane.Domain;

/// <summary>What kind of thing went wrong; the API maps each kind to one HTTP status (see ProblemMapping).</summary>
public enum FaultKind
{
    /// <summary>The request cannot be read: 400.</summary>
    Malformed,

    /// <summary>No valid token: 401.</summary>
    Unauthenticated,

    /// <summary>The token may not do this: 403.</summary>
    Forbidden,

    /// <summary>No such thing, or none that the caller may see: 404.</summary>
    NotFound,

    /// <summary>An illegal transition, a name taken, a resource in use: 409.</summary>
    Conflict,

    /// <summary>The caller's If-Match is stale: 412.</summary>
    Stale,

    /// <summary>Well formed, but impossible: 422.</summary>
    Impossible,

    /// <summary>A limit or quota is exhausted: 429.</summary>
    LimitExceeded,

    /// <summary>No host fits: 507.</summary>
    NoPlacement,

    /// <summary>A host or backend does not answer now; the same call may succeed later: 503.</summary>
    Unavailable,
}

/// <summary>
/// What went wrong, as a value. Exceptions mean bugs; everything a caller, a guest or a host can cause is a fault.
/// </summary>
/// <param name="Kind">Decides the HTTP status.</param>
/// <param name="Code">Stable, kebab-case, for programs.</param>
/// <param name="Detail">One sentence for people: what is wrong and what would mend it.</param>
public sealed record Fault(FaultKind Kind, string Code, string Detail)
{
    /// <summary>Messages by field path (<c>interfaces[0].mac</c>); empty when no field is to blame.</summary>
    public IReadOnlyDictionary<string, string[]> Errors { get; init; } = NoErrors;

    /// <summary>Structured data that travels with the problem (the <c>explanation</c> of a 507); null when there is none.</summary>
    public object? Extension { get; init; }

    private static readonly IReadOnlyDictionary<string, string[]> NoErrors = new Dictionary<string, string[]>();

    public static Fault NotFound(string noun, string key) => new(FaultKind.NotFound, $"{noun}-not-found", $"There is no {noun} '{key}'.");

    public static Fault Conflict(string code, string detail) => new(FaultKind.Conflict, code, detail);

    public static Fault Impossible(string code, string detail) => new(FaultKind.Impossible, code, detail);

    public static Fault Unavailable(string code, string detail) => new(FaultKind.Unavailable, code, detail);

    public static Fault Limit(string code, string detail) => new(FaultKind.LimitExceeded, code, detail);

    /// <summary>One bad field: 400 when it cannot be read, 422 when it is readable but impossible.</summary>
    public static Fault Field(FaultKind kind, string field, string message) =>
        Fields(kind, new Dictionary<string, string[]> { [field] = [message] });

    public static Fault Fields(FaultKind kind, IReadOnlyDictionary<string, string[]> errors) =>
        new(kind, "invalid-fields", string.Join(' ', errors.Select(e => $"{e.Key}: {string.Join(' ', e.Value)}"))) { Errors = errors };

    public override string ToString() => $"{Code}: {Detail}";
}
