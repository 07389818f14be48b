using System.Security.Cryptography;
using System.Text;
using ControlPlane.Api.Conventions;
using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Persistence.Records;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Pipeline;

/// <summary>The endpoint's answer holds a secret: it is stored so that only the caller's own token opens it.</summary>
internal sealed class SecretAnswer
{
    public static readonly SecretAnswer Instance = new();
}

/// <summary>Answers as the idempotency store keeps them, and back.</summary>
internal sealed class IdempotentAnswers(OperationMapping operations)
{
    private const string Location = "Location";
    private const string ETag = "ETag";
    private const string ProblemCode = "Problem-Code";
    private const int NonceSize = 12;
    private const int TagSize = 16;

    /// <summary>What a replay would answer if the server died right after the commit.</summary>
    public IdempotencyRecord WithAccepted(IdempotencyRecord record, Operation? operation)
    {
        if (operation is null)
            return record;
        var answer = operations.Accepted(operation);
        return record with { Status = answer.Status, Headers = Headers(answer), ResponseBody = answer.Serialize() };
    }

    public IdempotencyRecord WithAnswer(HttpContext http, IdempotencyRecord record, Answer answer)
    {
        var body = answer.Serialize();
        if (IsSecret(http))
            body = Seal(http, record.Key, body);
        return record with { State = IdempotencyState.Done, Status = answer.Status, Headers = Headers(answer), ResponseBody = body };
    }

    public Answer Replay(HttpContext http, IdempotencyRecord record)
    {
        if (record.Status is not { } status)
            return Fault.Conflict(
                "idempotency-answer-lost",
                "The first request with this key was carried out, but its answer was lost with the server that gave it. Read what it made.");
        var body = record.ResponseBody ?? [];
        if (IsSecret(http))
            body = Open(http, record.Key, body);
        var headers = record.Headers;
        return Answer.From(new StoredAnswer(
            status, headers.GetValueOrDefault(ProblemCode), headers.GetValueOrDefault(Location), headers.GetValueOrDefault(ETag), body));
    }

    private static Dictionary<string, string> Headers(Answer answer)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        if (answer.Location is { } location)
            headers[Location] = location;
        if (answer.ETag is { } tag)
            headers[ETag] = tag;
        if (answer.Code is { } code)
            headers[ProblemCode] = code;
        return headers;
    }

    private static bool IsSecret(HttpContext http) => http.GetEndpoint()?.Metadata.GetMetadata<SecretAnswer>() is not null;

    private static byte[] Seal(HttpContext http, string key, byte[] body)
    {
        var sealedBody = new byte[NonceSize + TagSize + body.Length];
        RandomNumberGenerator.Fill(sealedBody.AsSpan(0, NonceSize));
        using var aes = new AesGcm(CallersKey(http, key), TagSize);
        aes.Encrypt(
            sealedBody.AsSpan(0, NonceSize), body, sealedBody.AsSpan(NonceSize + TagSize), sealedBody.AsSpan(NonceSize, TagSize));
        return sealedBody;
    }

    private static byte[] Open(HttpContext http, string key, byte[] sealedBody)
    {
        var body = new byte[sealedBody.Length - NonceSize - TagSize];
        using var aes = new AesGcm(CallersKey(http, key), TagSize);
        aes.Decrypt(
            sealedBody.AsSpan(0, NonceSize), sealedBody.AsSpan(NonceSize + TagSize), sealedBody.AsSpan(NonceSize, TagSize), body);
        return body;
    }

    /// <summary>Follows from the caller's bearer token, of which the database has only the hash.</summary>
    private static byte[] CallersKey(HttpContext http, string key) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(http.Request.Headers.Authorization.ToString()), 32, Encoding.UTF8.GetBytes(key),
        "controlplane idempotent answer"u8.ToArray());
}
