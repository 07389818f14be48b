using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Persistence.Reading;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.EntityFrameworkCore;

namespace ControlPlane.Persistence.Hosts;

/// <summary>Which hosts a list shows; null fields filter nothing.</summary>
/// <param name="Labels">All of them must be carried.</param>
public sealed record HostFilter(
    HostState? State = null, string? Name = null, BackendKind? Backend = null, IReadOnlyDictionary<string, string>? Labels = null);

/// <summary>Hosts. What they sell is in <see cref="UsageStore"/>, so that selling does not change the host's generation.</summary>
public sealed class HostStore(IDbContextFactory<ControlPlaneDbContext> contexts)
{
    private static readonly RowShape Seen = new(
        "hosts", "UPDATE hosts t SET last_seen_at = greatest(t.last_seen_at, u.at) FROM unnest($1, $2) AS u(id, at) WHERE t.id = u.id",
        [ColumnType.Uuid, ColumnType.Timestamp], RowsWanted.Any, WriteFaults.ChangedMeanwhile);

    private static readonly RowShape State = new(
        "hosts",
        """
        UPDATE hosts t SET state = u.state, state_reason = u.reason, updated_at = u.at, generation = t.generation + 1
        FROM unnest($1, $2, $3, $4) AS u(id, state, reason, at) WHERE t.id = u.id
        """,
        [ColumnType.Uuid, ColumnType.Text, ColumnType.Text, ColumnType.Timestamp], RowsWanted.Any, WriteFaults.ChangedMeanwhile);

    private static readonly RowShape InService = new(
        "hosts",
        """
        UPDATE hosts t SET state = 'up', state_reason = NULL, cordoned = false, updated_at = u.at, generation = t.generation + 1
        FROM unnest($1, $2) AS u(id, at) WHERE t.id = u.id
        """,
        [ColumnType.Uuid, ColumnType.Timestamp], RowsWanted.Any, WriteFaults.ChangedMeanwhile);

    public Task<Host?> FindAsync(HostId id, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Set<Host>().FirstOrDefaultAsync(h => h.Id == id, ct), ct);

    public Task<Host?> FindByNameAsync(string name, CancellationToken ct) =>
        contexts.ReadAsync(db => db.Set<Host>().FirstOrDefaultAsync(h => h.Name == name, ct), ct);

    public Task<IReadOnlyList<Host>> AllAsync(CancellationToken ct) =>
        contexts.ReadAsync<IReadOnlyList<Host>>(async db => await db.Set<Host>().ToListAsync(ct), ct);

    /// <summary>Sorts: <c>createdAt</c>, <c>name</c>.</summary>
    public Task<Outcome<Page<Host>>> ListAsync(HostFilter filter, PageRequest page, CancellationToken ct)
    {
        var query = new ListQuery<Host>("hosts", SortOrder<Host>.ByCreation(h => h.Id.Value), SortOrder<Host>.ByName(h => h.Name, h => h.Id.Value))
            .WhereIf("t.state = {0}", filter.State is { } state ? KebabEnum<HostState>.Write(state) : null)
            .WhereIf("t.name = {0}", filter.Name)
            .WhereIf("t.backend->>'kind' = {0}", filter.Backend is { } kind ? KebabEnum<BackendKind>.Write(kind) : null);
        foreach (var (key, value) in filter.Labels ?? new Dictionary<string, string>())
            query.Where($"t.labels->>{query.Place(key)} = {{0}}", value);
        return query.ReadAsync(contexts, page, ct);
    }

    public void Insert(WriteUnit unit, Host host) => TableShapes<Host>.Insert(unit.Touch(host.Id), host);

    /// <summary>Replaces the row where its generation still is the expected one, else <c>changed-meanwhile</c>.</summary>
    public void Update(WriteUnit unit, Host host, Generation expected) => TableShapes<Host>.Update(unit.Touch(host.Id), host, expected);

    /// <summary>Whoever notices that a host is silent says so, whatever else is being changed of it.</summary>
    public void SetState(WriteUnit unit, HostId id, HostState state, string? reason, DateTimeOffset at) =>
        unit.Touch(id).Add(State, id.Value, KebabEnum<HostState>.Write(state), reason, at.ToUniversalTime());

    /// <summary>The host is up and takes VMs again.</summary>
    public void Activate(WriteUnit unit, HostId id, DateTimeOffset at) => unit.Touch(id).Add(InService, id.Value, at.ToUniversalTime());

    /// <summary>A sign of life. It is no change of the host: generation and <see cref="Host.UpdatedAt"/> stay.</summary>
    public void RecordSeen(WriteUnit unit, HostId id, DateTimeOffset at) => unit.Add(Seen, id.Value, at.ToUniversalTime());

    /// <summary>Its devices and usage must be forgotten before, in the same unit; while anything is sold or owned it is refused with <c>in-use</c>.</summary>
    public void Delete(WriteUnit unit, HostId id, Generation expected) => TableShapes<Host>.Delete(unit.Touch(id), id.Value, expected);
}
