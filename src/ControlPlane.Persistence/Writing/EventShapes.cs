using ControlPlane.Persistence.Records;
using static ControlPlane.Persistence.Writing.ColumnType;

namespace ControlPlane.Persistence.Writing;

/// <summary>How events are written: see the remarks of <c>EventStore</c> for why their order is the order of commits.</summary>
internal static class EventShapes
{
    /// <summary>Taken before a sequence is drawn and held until the commit; nothing else is waited for while it is held.</summary>
    public const string Lock = "SELECT pg_advisory_xact_lock(4242, 1)";

    public static readonly RowShape Append = new(
        "events",
        """
        INSERT INTO events (type, source, subject, project_id, data, at)
        SELECT u.type, u.source, u.subject, u.project, u.data, u.at
        FROM unnest($1, $2, $3, $4, $5, $6) WITH ORDINALITY AS u(type, source, subject, project, data, at, place) ORDER BY u.place
        """,
        [Text, Text, Text, Uuid, Jsonb, Timestamp], RowsWanted.One, static _ => throw new InvalidOperationException("An insert wrote no row."))
    {
        KeyColumns = 0,
    };

    public static Write Row(NewEvent what) =>
        new(Append, [what.Type, what.Source, what.Subject, what.Project?.Value, what.Data, what.At.ToUniversalTime()]);
}
