using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace ControlPlane.Hypervisor.Emulated.Journal;

/// <summary>A file of one JSON object a line, each of which decides something once it is written.</summary>
internal sealed class CommitLog<T> : IDisposable
{
    private readonly JsonTypeInfo<T> type;
    private readonly FileStream file;
    private bool failed;

    /// <param name="content">What the file is to say from now on, in place of what it said.</param>
    public CommitLog(string path, JsonTypeInfo<T> type, IEnumerable<T> content)
    {
        this.type = type;
        var lines = new ArrayBufferWriter<byte>();
        foreach (var entry in content)
            Line(lines, entry);
        file = JournalLines.Replace(path, lines.WrittenSpan);
    }

    public static List<T> Read(string path, JsonTypeInfo<T> type) => JournalLines.Read(path, line => JsonSerializer.Deserialize(line.Span, type)!);

    /// <summary>False: it could not be written down. The file may end in half a line then, and nothing is appended to it any more.</summary>
    public bool Append(T entry)
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

    private void Line(ArrayBufferWriter<byte> into, T entry)
    {
        using (var json = new Utf8JsonWriter(into))
            JsonSerializer.Serialize(json, entry, type);
        into.Write("\n"u8);
    }
}
