using System.Buffers;
using System.Text.Json;

namespace ControlPlane.Hypervisor.Emulated.Journal;

/// <summary>
/// A host's mutations as lines of a file. Lines are collected while the model is entered and given to the operating system (write(2), no
/// fsync: what shall be survived is the death of this process) before the call that made them answers; calls that answer at the same time
/// share a write.
/// </summary>
internal sealed class HostJournal : IDisposable
{
    /// <summary>A journal that grew to this since it was last compacted, and to so many times its size then, is compacted.</summary>
    private const long CompactAboveBytes = 16 * 1024 * 1024;
    private const int CompactAboveTimes = 4;

    private readonly string path;
    private readonly Lock appending = new();
    private readonly Lock writing = new();
    private readonly Utf8JsonWriter json;
    private ArrayBufferWriter<byte> filling = new(4096);
    private ArrayBufferWriter<byte> flushing = new(4096);
    private FileStream file;
    private long compactBytes;
    private long bytes;

    private HostJournal(string path)
    {
        this.path = path;
        json = new Utf8JsonWriter(filling);
        file = null!;
    }

    /// <summary>Begins with these records, which replace what the file holds.</summary>
    public static HostJournal Replace(string path, IEnumerable<JournalRecord> state)
    {
        var journal = new HostJournal(path);
        journal.file = journal.Rewrite(state);
        return journal;
    }

    /// <summary>Goes on after so many bytes of the file, which is compact enough as it is.</summary>
    public static HostJournal Continue(string path, long bytes) =>
        new(path) { file = JournalLines.Continue(path, bytes), bytes = bytes, compactBytes = bytes };

    /// <summary>Why nothing can be written down any more (a full disk); null: all is well. A host without its journal answers no calls.</summary>
    public string? Failure { get; private set; }

    public bool WantsCompaction => bytes > CompactAboveBytes && bytes > compactBytes * CompactAboveTimes;

    public void Append(JournalRecord record)
    {
        lock (appending)
            Line(filling, record);
    }

    /// <summary>Returns once every line appended before is with the operating system.</summary>
    public void Flush()
    {
        lock (writing)
        {
            lock (appending)
            {
                if (filling.WrittenCount == 0)
                    return;
                (filling, flushing) = (flushing, filling);
            }
            try
            {
                if (Failure is null)
                    file.Write(flushing.WrittenSpan);
                bytes += flushing.WrittenCount;
            }
            catch (IOException e)
            {
                Failure = e.Message;
            }
            flushing.ResetWrittenCount();
        }
    }

    /// <summary>Replaces the file by the host's present state.</summary>
    public void Compact(IEnumerable<JournalRecord> state)
    {
        lock (writing)
        {
            lock (appending)
                filling.ResetWrittenCount();
            file.Dispose();
            try
            {
                file = Rewrite(state);
            }
            catch (IOException e)
            {
                Failure = e.Message;
            }
        }
    }

    public void Dispose()
    {
        lock (writing)
            file.Dispose();
        json.Dispose();
    }

    private FileStream Rewrite(IEnumerable<JournalRecord> state)
    {
        var content = new ArrayBufferWriter<byte>(4096);
        foreach (var record in state)
            Line(content, record);
        bytes = compactBytes = content.WrittenCount;
        return JournalLines.Replace(path, content.WrittenSpan);
    }

    private void Line(ArrayBufferWriter<byte> into, JournalRecord record)
    {
        json.Reset(into);
        JournalJson.Write(json, record);
        json.Flush();
        into.Write("\n"u8);
    }
}
