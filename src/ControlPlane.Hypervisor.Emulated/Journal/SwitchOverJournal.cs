using ControlPlane.Domain;

namespace ControlPlane.Hypervisor.Emulated.Journal;

/// <summary>The moves of guests between hosts of one fleet, each committed by one line.</summary>
internal sealed class SwitchOverJournal : IDisposable
{
    private readonly Dictionary<long, SwitchOverEntry> pending = [];
    private readonly CommitLog<SwitchOverEntry> log;
    private long lastNumber;

    public SwitchOverJournal(string path)
    {
        foreach (var entry in CommitLog<SwitchOverEntry>.Read(path, JournalJson.Default.SwitchOverEntry))
        {
            lastNumber = Math.Max(lastNumber, entry.Number);
            if (entry.Applied)
                pending.Remove(entry.Number);
            else
                pending[entry.Number] = entry;
        }
        // The last number is kept, so that none is used twice: hosts remember which they have applied.
        var last = new SwitchOverEntry(lastNumber, default, default, null, null, Applied: !pending.ContainsKey(lastNumber));
        log = new CommitLog<SwitchOverEntry>(path, JournalJson.Default.SwitchOverEntry, [last, .. pending.Values.OrderBy(e => e.Number)]);
    }

    /// <summary>Moves of which a host may not have written down its part.</summary>
    public IEnumerable<SwitchOverEntry> PendingOf(HostId host) =>
        pending.Values.Where(e => e.Domain is not null && (e.Source == host || e.Target == host)).OrderBy(e => e.Number);

    /// <summary>From here on the guest is the target's. Null: it could not be written down, and the guest stays where it is.</summary>
    public long? Commit(HostId source, HostId target, JournalRecord.DomainIs domain, CopyProgress ended)
    {
        var entry = new SwitchOverEntry(++lastNumber, source, target, domain, ended, Applied: false);
        if (!log.Append(entry))
            return null;
        pending[entry.Number] = entry;
        return entry.Number;
    }

    /// <summary>Both hosts have written down their part.</summary>
    public void MarkApplied(long number)
    {
        pending.Remove(number);
        log.Append(new SwitchOverEntry(number, default, default, null, null, Applied: true));
    }

    public void Dispose() => log.Dispose();
}
