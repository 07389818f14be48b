using System.Buffers;
using System.Security.Cryptography;
using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Orchestration;
using ControlPlane.Persistence.Idempotency;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Pipeline;

/// <summary>
/// <c>Idempotency-Key</c>: the first request with a key is carried out, every further one with the same body gets its answer. The key's row
/// commits in the unit of the mutation with its answer: the operation, or what was recorded. So no crash can leave one without the others.
/// </summary>
internal sealed class IdempotencyFilter(
    IdempotencyStore store, MutationContext mutation, BatchingWriter writer, IdempotentAnswers answers, RecordedAnswer recorded,
    KeyedGate<(string Principal, string Key)> gate, TimeProvider clock)
    : IEndpointFilter
{
    private const int KeyLengthMax = 255;
    private static readonly TimeSpan KeptFor = TimeSpan.FromHours(24);
    private static readonly TimeSpan OtherServerPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (!HttpMethods.IsPost(http.Request.Method) || !http.Request.Headers.TryGetValue(RequestDigest.KeyHeader, out var header))
            return await next(context);
        var key = header.ToString();
        if (header.Count != 1 || key.Length is 0 or > KeyLengthMax || !key.All(c => c is > ' ' and <= '~'))
            return (Answer)Fault.Field(FaultKind.Malformed, RequestDigest.KeyHeader, $"must be 1 to {KeyLengthMax} printable ASCII characters, once.");

        var digest = http.Features.Get<RequestDigest>() ?? RequestDigest.Of(http, ReadOnlySequence<byte>.Empty);
        var principal = Caller.Find(http)!.Token.ToString();
        // Equal requests in this server wait here for the first one; those in others meet in the database.
        using var passage = await gate.EnterAsync((principal, key), http.RequestAborted);
        if (await store.FindAsync(principal, key, http.RequestAborted) is { } known && known.ExpiresAt > clock.GetUtcNow())
            return await ReplayAsync(http, known, digest);

        var now = Microseconds(clock.GetUtcNow());
        var record = new IdempotencyRecord(
            principal, key, digest.Sha256, IdempotencyState.InProgress, null, new Dictionary<string, string>(), null, now, now + KeptFor);
        mutation.Join((unit, operation) => store.Take(
            unit, recorded.Ready is { } ready ? answers.WithAnswer(http, record, ready) : answers.WithAccepted(record, operation)));
        var answer = (Answer)(await next(context))!;
        if (answer.Code == IdempotencyStore.KeyTakenCode && await store.FindAsync(principal, key, http.RequestAborted) is { } other)
            return await ReplayAsync(http, other, digest);
        await KeepAsync(http, record, answer);
        return answer;
    }

    private async Task KeepAsync(HttpContext http, IdempotencyRecord record, Answer answer)
    {
        // The answer to a recorded change is kept by then: its commit held it.
        if (!IsWorthKeeping(answer.Status) || (mutation.IsAttached && answer == recorded.Ready))
            return;
        var done = answers.WithAnswer(http, record, answer);
        var unit = new WriteUnit();
        if (mutation.IsAttached && answer.IsSuccess)
            store.Complete(unit, done);
        else
            store.Take(unit, done);
        // The caller has gone or not: what was answered is kept. If it cannot be, the row of the mutation's commit still stands.
        await writer.CommitAsync(unit, CancellationToken.None);
    }

    private async Task<Answer> ReplayAsync(HttpContext http, IdempotencyRecord known, RequestDigest digest)
    {
        if (!CryptographicOperations.FixedTimeEquals(known.BodyHash, digest.Sha256))
            return new Fault(
                FaultKind.Impossible, "idempotency-key-reused", "The Idempotency-Key was used for another request; take a new key for a new request.");
        var began = clock.GetTimestamp();
        // Without an answer yet: another server is at work on it, or it crashed between its commit and its answer. Looked for now and then: what
        // other servers announce are events and signals of sagas, and an answer that is kept is neither; in this server the gate tells.
        while (known.Status is null && clock.GetElapsedTime(began) < OtherServerPatience)
        {
            await Task.Delay(Poll, clock, http.RequestAborted);
            known = await store.FindAsync(known.Principal, known.Key, http.RequestAborted) ?? known;
        }
        return answers.Replay(http, known);
    }

    /// <summary>What says "not now" is no answer to keep: the same request may succeed in a moment.</summary>
    private static bool IsWorthKeeping(int status) => status is not (
        StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden or StatusCodes.Status429TooManyRequests
        or StatusCodes.Status500InternalServerError or StatusCodes.Status503ServiceUnavailable);

    /// <summary>The resolution of the database, so that a row is recognized as one's own.</summary>
    private static DateTimeOffset Microseconds(DateTimeOffset time) => new(time.Ticks - (time.Ticks % 10), time.Offset);
}
