using System.Buffers;
using System.Text.Json;
using ControlPlane.Domain;

namespace ControlPlane.Hypervisor.Emulated.Journal;

/// <summary>The moves of guests between hosts of one fleet, each committed by one line.</summary>
internal sealed class SwitchOverJournal : IDisposable
{
    private readonly Dictionary<long, SwitchOverEntry> pending = [];
    private readonly FileStream file;
    private long lastNumber;
    private bool failed;

    public SwitchOverJournal(string path)
    {
        foreach (var entry in JournalLines.Read(path, line => JsonSerializer.Deserialize(line.Span, JournalJson.Default.SwitchOverEntry)!))
        {
            lastNumber = Math.Max(lastNumber, entry.Number);
            if (entry.Applied)
                pending.Remove(entry.Number);
            else
                pending[entry.Number] = entry;
        }
        var content = new ArrayBufferWriter<byte>();
        // The last number is kept, so that none is used twice: hosts remember which they have applied.
        Line(content, new SwitchOverEntry(lastNumber, default, default, null, null, Applied: !pending.ContainsKey(lastNumber)));
        foreach (var entry in pending.Values.OrderBy(e => e.Number))
            Line(content, entry);
        file = JournalLines.Replace(path, content.WrittenSpan);
    }

    /// <summary>Moves of which a host may not have written down its part.</summary>
    public IEnumerable<SwitchOverEntry> PendingOf(HostId host) =>
        pending.Values.Where(e => e.Domain is not null && (e.Source == host || e.Target == host)).OrderBy(e => e.Number);

    /// <summary>From here on the guest is the target's. Null: it could not be written down, and the guest stays where it is.</summary>
    public long? Commit(HostId source, HostId target, JournalRecord.DomainIs domain, CopyProgress ended)
    {
        var entry = new SwitchOverEntry(++lastNumber, source, target, domain, ended, Applied: false);
        if (!Write(entry))
            return null;
        pending[entry.Number] = entry;
        return entry.Number;
    }

    /// <summary>Both hosts have written down their part.</summary>
    public void MarkApplied(long number)
    {
        pending.Remove(number);
        Write(new SwitchOverEntry(number, default, default, null, null, Applied: true));
    }

    public void Dispose() => file.Dispose();

    /// <summary>After a failed write the file may end in half a line: nothing is appended to it any more.</summary>
    private bool Write(SwitchOverEntry entry)
    {
        if (failed)
            return false;
        var line = new ArrayBufferWriter<byte>();
        Line(line, entry);
        try
        {
            file.Write(line.WrittenSpan);
        }
        catch (IOException)
        {
            failed = true;
        }
        return !failed;
    }

    private static void Line(ArrayBufferWriter<byte> into, SwitchOverEntry entry)
    {
        using (var json = new Utf8JsonWriter(into))
            JsonSerializer.Serialize(json, entry, JournalJson.Default.SwitchOverEntry);
        into.Write("\n"u8);
    }
}
