using System.Diagnostics.CodeAnalysis;
using ControlPlane.Domain;
using Npgsql;
using NpgsqlTypes;

namespace ControlPlane.Persistence.Writing;

/// <summary>
/// What servers tell each other of their commits, as the payload of a PostgreSQL notification: the sender, whether there are events, ids,
/// and what to read again (hosts, or <c>d</c> for the directory); <c>*</c> stands for a list that found no room.
/// </summary>
internal sealed class NotificationFormat(Guid server)
{
    public const string Channel = "controlplane";

    // A payload holds less than 8,000 bytes; an id takes 33.
    private const int IdsMax = 160;
    private const int HostsMax = 60;
    private const string More = "*";
    private const string Directory = "d";

    public NpgsqlBatchCommand? Command(bool hasEvents, IReadOnlyList<WriteUnit> units)
    {
        var ids = units.SelectMany(u => u.Signals).ToList();
        var changed = units.SelectMany(u => u.Hosts).Distinct().Select(h => h.Value.ToString("N")).ToList();
        if (units.Any(u => u.ChangesDirectory))
            changed.Add(Directory);
        if (!hasEvents && ids.Count == 0 && changed.Count == 0)
            return null;
        var payload = $"{server:N} {(hasEvents ? "events" : "-")} {List(ids.ConvertAll(i => i.ToString("N")), IdsMax)} {List(changed, HostsMax)}";
        return new NpgsqlBatchCommand($"SELECT pg_notify('{Channel}', $1)")
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = payload, NpgsqlDbType = NpgsqlDbType.Text } },
        };
    }

    /// <summary>The signal of another server; false for this server's own and for what is none.</summary>
    public bool TryRead(string payload, [NotNullWhen(true)] out CommitSignal? signal)
    {
        signal = null;
        if (payload.Split(' ') is not [var sender, var events, var list, var changed] || sender == server.ToString("N"))
            return false;
        signal = new CommitSignal(
            events == "events", Ids(list), list == More || changed == More, Ids(changed).ConvertAll(HostId.From), changed.Split(',').Contains(Directory));
        return true;
    }

    private static string List(List<string> items, int max) => items.Count > max ? More : string.Join(',', items);

    private static List<Guid> Ids(string list)
    {
        var ids = new List<Guid>();
        foreach (var text in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Guid.TryParseExact(text, "N", out var id))
                ids.Add(id);
        }
        return ids;
    }
}
