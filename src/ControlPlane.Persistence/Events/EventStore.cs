using ControlPlane.Domain;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Events;

/// <summary>Which events are shown; null fields filter nothing.</summary>
/// <param name="Type">The whole type, or a noun (<c>vm</c>) for all of its types.</param>
public sealed record EventFilter(ProjectId? Project = null, string? Type = null, string? Subject = null);

/// <summary>
/// The log of events, which is the outbox: appended in the transaction of what they tell, read by streams and webhooks.
/// </summary>
/// <remarks>
/// The sequence is the order of commits, over all servers: a writer draws sequences as the last thing in its transaction, under a lock
/// that it holds until the commit (see <c>EventShapes</c>). So a reader that has seen a sequence has seen, or can see, everything
/// below it, and resuming needs nothing but the last number. A fence by transaction id would need no lock, but it would miss an event
/// whose transaction began later and drew its sequence earlier, and it would hide all events after a restore into a new cluster.
/// </remarks>
public sealed class EventStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    /// <summary>The events after a sequence, in order, at most <paramref name="limit"/>.</summary>
    public async Task<IReadOnlyList<EventRecord>> ReadAfterAsync(long after, EventFilter filter, int limit, CancellationToken ct)
    {
        var page = await Query(filter).Where("t.sequence > {0}", after).ReadAsync(contexts, new PageRequest(limit), ct);
        return page.Value.Items;
    }

    /// <summary>Sorts: <c>createdAt</c>.</summary>
    public Task<Outcome<Page<EventRecord>>> ListAsync(EventFilter filter, PageRequest page, CancellationToken ct) =>
        Query(filter).ReadAsync(contexts, page, ct);

    /// <summary>The newest sequence; 0 when there is no event. Where a stream starts that does not resume.</summary>
    public Task<long> LatestSequenceAsync(CancellationToken ct) =>
        contexts.ReadAsync(async db => await db.Set<EventRecord>().MaxAsync(e => (long?)e.Sequence, ct) ?? 0, ct);

    /// <summary>The oldest sequence that is still kept; 0 when there is no event. A stream that resumes below it has missed some.</summary>
    public Task<long> EarliestSequenceAsync(CancellationToken ct) =>
        contexts.ReadAsync(async db => await db.Set<EventRecord>().MinAsync(e => (long?)e.Sequence, ct) ?? 0, ct);

    public void Append(WriteUnit unit, NewEvent what) => unit.AddEvent(what);

    /// <summary>Retention: removes the oldest, at most <paramref name="limit"/>, and says how many there were.</summary>
    public Task<int> DeleteBeforeAsync(DateTimeOffset before, int limit, CancellationToken ct) => contexts.ReadAsync(
        db => db.Database.ExecuteSqlAsync(
            $"DELETE FROM events WHERE sequence IN (SELECT sequence FROM events WHERE at < {before.ToUniversalTime()} ORDER BY sequence LIMIT {limit})", ct),
        ct);

    private static ListQuery<EventRecord> Query(EventFilter filter)
    {
        var query = new ListQuery<EventRecord>(
            "events", new SortOrder<EventRecord>("createdAt", KeyColumn<EventRecord>.Bigint("sequence", e => e.Sequence)))
            .WhereIf("t.project_id = {0}", filter.Project?.Value)
            .WhereIf("t.subject = {0}", filter.Subject);
        return filter.Type is { } type ? query.Where($"(t.type = {query.Place(type)} OR starts_with(t.type, {{0}}))", type + ".") : query;
    }
}
