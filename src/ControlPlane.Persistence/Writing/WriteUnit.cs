using ControlPlane.Domain;
using ControlPlane.Persistence.Records;
using ControlPlane.Sagas;

namespace ControlPlane.Persistence.Writing;

/// <summary>
/// Changes that are committed together or not at all. The stores add to it; <see cref="BatchingWriter"/> commits it. It is filled by
/// one caller and belongs to the writer once it has been handed over.
/// </summary>
public sealed class WriteUnit : IChangeSet
{
    private readonly List<Write> writes = [];
    private readonly List<Write> events = [];
    private readonly List<Guid> signals = [];
    private readonly HashSet<HostId> hosts = [];
    private readonly List<Action> whenCommitted = [];
    private readonly List<Action> whenRefused = [];

    public bool IsEmpty => writes.Count == 0 && events.Count == 0;

    internal IReadOnlyList<Write> Writes => writes;

    internal IReadOnlyList<Guid> Signals => signals;

    /// <summary>Hosts of which something is changed that placement decides on: other servers read them again.</summary>
    internal IReadOnlySet<HostId> Hosts => hosts;

    /// <summary>Projects, networks or pools are changed: other servers read them again.</summary>
    internal bool ChangesDirectory { get; private set; }

    /// <summary>Apart from the other writes, because they are written last: see <c>EventStore</c>.</summary>
    internal IReadOnlyList<Write> Events => events;

    /// <summary>
    /// Tells whoever waits for this id, in every server, once the unit is committed: a saga that is to run, an operation that has ended.
    /// </summary>
    public void Signal(Guid id) => signals.Add(id);

    /// <summary>
    /// What this server's memory learns once the unit is committed: called by the writer after the commit and before the caller is
    /// answered, so whoever reads the answer finds memory up to date. Must be quick, and must not throw.
    /// </summary>
    public WriteUnit OnCommitted(Action action)
    {
        whenCommitted.Add(action);
        return this;
    }

    /// <summary>What this server's memory takes back when the unit is not committed, whatever the reason.</summary>
    public WriteUnit OnRefused(Action action)
    {
        whenRefused.Add(action);
        return this;
    }

    /// <summary>The writer's last word on the unit; said once.</summary>
    internal void Settle(bool committed)
    {
        foreach (var action in committed ? whenCommitted : whenRefused)
            action();
    }

    /// <summary>The other's changes after these.</summary>
    public WriteUnit Include(WriteUnit other)
    {
        writes.AddRange(other.writes);
        signals.AddRange(other.signals);
        hosts.UnionWith(other.hosts);
        ChangesDirectory |= other.ChangesDirectory;
        events.AddRange(other.events);
        whenCommitted.AddRange(other.whenCommitted);
        whenRefused.AddRange(other.whenRefused);
        return this;
    }

    public IChangeSet And(IChangeSet next) => new WriteUnit().Include(this).Include((WriteUnit)next);

    internal void Add(RowShape shape, params object?[] values)
    {
        if (values.Length != shape.Columns.Length)
            throw new ArgumentException($"{shape.Table}: {values.Length} values for {shape.Columns.Length} columns.", nameof(values));
        writes.Add(new Write(shape, values));
    }

    internal WriteUnit Touch(HostId host)
    {
        hosts.Add(host);
        return this;
    }

    internal WriteUnit TouchDirectory()
    {
        ChangesDirectory = true;
        return this;
    }

    internal void AddEvent(NewEvent what) => events.Add(EventShapes.Row(what));
}

/// <summary>One row of a shape.</summary>
internal readonly record struct Write(RowShape Shape, object?[] Values);
