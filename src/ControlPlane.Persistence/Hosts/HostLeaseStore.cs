using ControlPlane.Domain;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Hosts;

/// <summary>
/// Leases of hosts: of several servers on one database, each host is pinged, watched and scanned by one. Taken and renewed by statements
/// of their own, which are few.
/// </summary>
public sealed class HostLeaseStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    private static readonly RowShape Fence = new(
        "host_leases",
        "UPDATE host_leases t SET lease_until = t.lease_until FROM unnest($1, $2) AS u(host, generation) WHERE t.host_id = u.host AND t.generation = u.generation",
        [ColumnType.Uuid, ColumnType.Bigint], RowsWanted.One, static _ => WriteFaults.HostLeaseLost);

    /// <summary>
    /// Takes hosts that nobody looks after, or whose owner has not renewed. Servers that take at once pass over each other's rows; the
    /// last condition refuses one that came a moment later.
    /// </summary>
    /// <param name="lapsedBefore">Leases that end before this are taken; far in the future, all are.</param>
    public Task<IReadOnlyList<HostLease>> TakeAsync(string owner, DateTimeOffset lapsedBefore, DateTimeOffset until, CancellationToken ct) => ReadAsync(
        $"""
        INSERT INTO host_leases AS t (host_id, owner, lease_until, generation)
        SELECT due.id, {owner}, {until.ToUniversalTime()}, 1
        FROM (SELECT h.id FROM hosts h LEFT JOIN host_leases l ON l.host_id = h.id
              WHERE l.host_id IS NULL OR (l.lease_until < {lapsedBefore.ToUniversalTime()} AND l.owner <> {owner})
              ORDER BY h.id FOR NO KEY UPDATE OF h SKIP LOCKED) due
        ON CONFLICT (host_id) DO UPDATE SET owner = excluded.owner, lease_until = excluded.lease_until, generation = t.generation + 1
        WHERE t.lease_until < {lapsedBefore.ToUniversalTime()}
        RETURNING t.*
        """,
        ct);

    /// <summary>Holds on to all that the owner has, also what has lapsed and nobody has taken.</summary>
    /// <returns>What it still has.</returns>
    public Task<IReadOnlyList<HostLease>> RenewAsync(string owner, DateTimeOffset until, CancellationToken ct) =>
        ReadAsync($"UPDATE host_leases SET lease_until = {until.ToUniversalTime()} WHERE owner = {owner} RETURNING *", ct);

    /// <summary>Another server may take them at once.</summary>
    public Task GiveBackAsync(string owner, DateTimeOffset at, CancellationToken ct) => contexts.ReadAsync(
        db => db.Database.ExecuteSqlAsync($"UPDATE host_leases SET lease_until = {at.ToUniversalTime()} WHERE owner = {owner}", ct), ct);

    /// <summary>The unit is refused with <c>host-lease-lost</c> when the host is another server's by now.</summary>
    public void Require(WriteUnit unit, HostId host, Generation generation) => unit.Add(Fence, host.Value, generation.Value);

    private Task<IReadOnlyList<HostLease>> ReadAsync(FormattableString sql, CancellationToken ct) => contexts.ReadAsync<IReadOnlyList<HostLease>>(
        async db => await db.Set<HostLease>().FromSqlInterpolated(sql).ToListAsync(ct), ct);
}
