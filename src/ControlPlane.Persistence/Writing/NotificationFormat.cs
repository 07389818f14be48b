using System.Diagnostics.CodeAnalysis;
using Npgsql;
using NpgsqlTypes;

namespace ControlPlane.Persistence.Writing;

/// <summary>
/// What servers tell each other of their commits, as the payload of a PostgreSQL notification: the sender, whether there are events, and
/// ids; <c>*</c> stands for ids that found no room.
/// </summary>
internal sealed class NotificationFormat(Guid server)
{
    public const string Channel = "controlplane";

    // A payload holds less than 8,000 bytes; an id takes 33.
    private const int IdsMax = 200;
    private const string More = "*";

    public NpgsqlBatchCommand? Command(bool hasEvents, IReadOnlyList<Guid> ids)
    {
        if (!hasEvents && ids.Count == 0)
            return null;
        var payload = $"{server:N} {(hasEvents ? "events" : "-")} {(ids.Count > IdsMax ? More : string.Join(',', ids.Select(i => i.ToString("N"))))}";
        return new NpgsqlBatchCommand($"SELECT pg_notify('{Channel}', $1)")
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = payload, NpgsqlDbType = NpgsqlDbType.Text } },
        };
    }

    /// <summary>The signal of another server; false for this server's own and for what is none.</summary>
    public bool TryRead(string payload, [NotNullWhen(true)] out CommitSignal? signal)
    {
        signal = null;
        if (payload.Split(' ') is not [var sender, var events, var list] || sender == server.ToString("N"))
            return false;
        var ids = new List<Guid>();
        foreach (var text in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Guid.TryParseExact(text, "N", out var id))
                ids.Add(id);
        }
        signal = new CommitSignal(events == "events", ids, list == More);
        return true;
    }
}
