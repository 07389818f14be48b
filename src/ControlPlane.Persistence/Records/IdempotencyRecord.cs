namespace ControlPlane.Persistence.Records;

/// <summary>Where the first request of a key is.</summary>
public enum IdempotencyState
{
    /// <summary>Someone is carrying it out now.</summary>
    InProgress,

    /// <summary>The answer is kept.</summary>
    Done,
}

/// <summary>The first request that came with a key, and its answer.</summary>
/// <param name="Principal">Whose key it is: the token's id. Two callers may use the same key.</param>
/// <param name="BodyHash">SHA-256 of the request's method, path and body.</param>
/// <param name="Headers">Those of the answer that a replay repeats (<c>Location</c>, <c>ETag</c>).</param>
/// <param name="ExpiresAt">In progress: when the request is given up for lost and the key may be taken again. Done: the end of its life.</param>
public sealed record IdempotencyRecord(
    string Principal, string Key, byte[] BodyHash, IdempotencyState State, int? Status, IReadOnlyDictionary<string, string> Headers,
    byte[]? ResponseBody, DateTimeOffset CreatedAt, DateTimeOffset ExpiresAt);
