using System.Buffers;
using System.Text.Json;
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
    private readonly FileStream file;
    private bool failed;

    public ChassisJournal(string path)
    {
        var last = new Dictionary<(string Chassis, string Slot), ChassisEntry>();
        foreach (var entry in JournalLines.Read(path, line => JsonSerializer.Deserialize(line.Span, JournalJson.Default.ChassisEntry)!))
            last[(entry.Chassis, entry.Slot)] = entry;
        Found = [.. last.Values];
        var content = new ArrayBufferWriter<byte>();
        foreach (var entry in Found)
            Line(content, entry);
        file = JournalLines.Replace(path, content.WrittenSpan);
    }

    /// <summary>What the file said when it was opened.</summary>
    public IReadOnlyList<ChassisEntry> Found { get; }

    /// <summary>False: it could not be written down, and everything stays as it was. Nothing is appended to a file that may end in half a line.</summary>
    public bool Commit(ChassisEntry entry)
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

    public void Dispose() => file.Dispose();

    private static void Line(ArrayBufferWriter<byte> into, ChassisEntry entry)
    {
        using (var json = new Utf8JsonWriter(into))
            JsonSerializer.Serialize(json, entry, JournalJson.Default.ChassisEntry);
        into.Write("\n"u8);
    }
}
