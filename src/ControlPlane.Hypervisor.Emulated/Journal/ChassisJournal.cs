using ControlPlane.Domain;

namespace ControlPlane.Hypervisor.Emulated.Journal;

/// <summary>
/// One line: in which host's hierarchy a slot's function is from now on. It is written between the function's departure from one hierarchy and its
/// arrival in the other, so that wherever the process is killed it is in exactly one afterwards.
/// </summary>
/// <param name="Owner">Null: in nobody's.</param>
internal sealed record ChassisEntry(string Chassis, string Slot, HostId? Owner);

/// <summary>Who has the shared functions of the fleet's chassis.</summary>
internal sealed class ChassisJournal : IDisposable
{
    private readonly CommitLog<ChassisEntry> log;

    public ChassisJournal(string path)
    {
        var last = new Dictionary<(string Chassis, string Slot), ChassisEntry>();
        foreach (var entry in CommitLog<ChassisEntry>.Read(path, JournalJson.Default.ChassisEntry))
            last[(entry.Chassis, entry.Slot)] = entry;
        Found = [.. last.Values];
        log = new CommitLog<ChassisEntry>(path, JournalJson.Default.ChassisEntry, Found);
    }

    /// <summary>What the file said when it was opened.</summary>
    public IReadOnlyList<ChassisEntry> Found { get; }

    /// <summary>False: it could not be written down, and everything stays as it was.</summary>
    public bool Commit(ChassisEntry entry) => log.Append(entry);

    public void Dispose() => log.Dispose();
}
