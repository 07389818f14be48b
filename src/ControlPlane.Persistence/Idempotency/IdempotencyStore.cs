using ControlPlane.Domain;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;
using static ControlPlane.Persistence.Writing.ColumnType;

namespace ControlPlane.Persistence.Idempotency;

/// <summary>
/// First requests by key. A key is taken before its request is carried out, and its answer is written in the unit of the change itself:
/// of two equal requests at once, one has the key and the other is told so.
/// </summary>
public sealed class IdempotencyStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    /// <summary>Someone else has the key: read it again.</summary>
    public const string KeyTakenCode = "idempotency-key-taken";

    private static readonly Fault KeyTaken = Fault.Conflict(KeyTakenCode, "A request with this Idempotency-Key is being carried out or was.");

    private static readonly RowShape TakeShape = new(
        "idempotency_keys",
        """
        INSERT INTO idempotency_keys AS t (principal, key, body_hash, state, status, headers, response_body, created_at, expires_at)
        SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (principal, key) DO UPDATE SET
          body_hash = excluded.body_hash, state = excluded.state, status = excluded.status, headers = excluded.headers,
          response_body = excluded.response_body, created_at = excluded.created_at, expires_at = excluded.expires_at
        WHERE t.expires_at <= excluded.created_at
        """,
        [Text, Text, Bytea, Text, Integer, Jsonb, Bytea, Timestamp, Timestamp], RowsWanted.One, static _ => KeyTaken)
    {
        KeyColumns = 2,
    };

    private static readonly RowShape CompleteShape = new(
        "idempotency_keys",
        """
        UPDATE idempotency_keys t SET
          state = 'done', status = u.status, headers = u.headers, response_body = u.response_body, expires_at = u.expires_at
        FROM unnest($1, $2, $3, $4, $5, $6, $7) AS u(principal, key, created_at, status, headers, response_body, expires_at)
        WHERE t.principal = u.principal AND t.key = u.key AND t.created_at = u.created_at AND t.state = 'in-progress'
        """,
        [Text, Text, Timestamp, Integer, Jsonb, Bytea, Timestamp], RowsWanted.One, static _ => KeyTaken)
    {
        KeyColumns = 2,
    };

    private static readonly RowShape GiveUpShape = new(
        "idempotency_keys",
        """
        DELETE FROM idempotency_keys t USING unnest($1, $2, $3) AS u(principal, key, created_at)
        WHERE t.principal = u.principal AND t.key = u.key AND t.created_at = u.created_at AND t.state = 'in-progress'
        """,
        [Text, Text, Timestamp], RowsWanted.Any, WriteFaults.ChangedMeanwhile)
    {
        KeyColumns = 2,
    };

    public Task<IdempotencyRecord?> FindAsync(string principal, string key, CancellationToken ct) => contexts.ReadAsync(
        db => db.Set<IdempotencyRecord>().FirstOrDefaultAsync(k => k.Principal == principal && k.Key == key, ct), ct);

    /// <summary>Takes the key unless another has it whose time is not over; else <see cref="KeyTakenCode"/>. Also writes a key that is done at once.</summary>
    public void Take(WriteUnit unit, IdempotencyRecord record) => unit.Add(
        TakeShape, record.Principal, record.Key, record.BodyHash, KebabEnum<IdempotencyState>.Write(record.State), record.Status,
        StoredJson.Write(record.Headers), record.ResponseBody, record.CreatedAt.ToUniversalTime(), record.ExpiresAt.ToUniversalTime());

    /// <summary>Keeps the answer of the request that took the key. Refused when its time was over and another took it.</summary>
    public void Complete(WriteUnit unit, IdempotencyRecord record) => unit.Add(
        CompleteShape, record.Principal, record.Key, record.CreatedAt.ToUniversalTime(), record.Status, StoredJson.Write(record.Headers),
        record.ResponseBody, record.ExpiresAt.ToUniversalTime());

    /// <summary>The request came to nothing that should be repeated (a fault of ours): the key is free again.</summary>
    public void GiveUp(WriteUnit unit, IdempotencyRecord record) =>
        unit.Add(GiveUpShape, record.Principal, record.Key, record.CreatedAt.ToUniversalTime());

    /// <summary>Retention: removes what has expired, at most <paramref name="limit"/>, and says how many there were.</summary>
    public Task<int> DeleteExpiredAsync(DateTimeOffset now, int limit, CancellationToken ct) => contexts.ReadAsync(
        db => db.Database.ExecuteSqlAsync(
            $"""
            DELETE FROM idempotency_keys WHERE (principal, key) IN (
              SELECT principal, key FROM idempotency_keys WHERE expires_at <= {now.ToUniversalTime()} ORDER BY expires_at LIMIT {limit})
            """,
            ct),
        ct);
}
