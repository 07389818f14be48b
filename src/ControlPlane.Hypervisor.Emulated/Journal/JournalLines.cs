using System.Text.Json;

namespace ControlPlane.Hypervisor.Emulated.Journal;

/// <summary>Reading and replacing files of lines.</summary>
internal static class JournalLines
{
    /// <summary>
    /// All lines of the file; none when there is no file. What stands after the last line feed was being written when the process died, and
    /// was never answered: it is left out.
    /// </summary>
    /// <exception cref="JournalDamagedException">A line that is not the last one cannot be read: that is no torn write.</exception>
    public static List<T> Read<T>(string path, Func<ReadOnlyMemory<byte>, T> parse) => Read(path, parse, out _);

    /// <param name="readBytes">Where the last whole line ends.</param>
    public static List<T> Read<T>(string path, Func<ReadOnlyMemory<byte>, T> parse, out long readBytes)
    {
        var records = new List<T>();
        readBytes = 0;
        if (!File.Exists(path))
            return records;
        ReadOnlyMemory<byte> rest = File.ReadAllBytes(path);
        for (var number = 1; rest.Span.IndexOf((byte)'\n') is var end && end >= 0; number++)
        {
            try
            {
                records.Add(parse(rest[..end]));
            }
            catch (JsonException e)
            {
                throw new JournalDamagedException($"{path}:{number} cannot be read: {e.Message}", e);
            }
            rest = rest[(end + 1)..];
            readBytes += end + 1;
        }
        return records;
    }

    /// <summary>Opens a file for appending after so many bytes; what stands behind them is a torn line and goes.</summary>
    public static FileStream Continue(string path, long bytes)
    {
        var stream = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
        stream.SetLength(bytes);
        stream.Position = bytes;
        return stream;
    }

    /// <summary>Opens a file for appending, its present content replaced in one step (rename).</summary>
    public static FileStream Replace(string path, ReadOnlySpan<byte> content)
    {
        var next = path + ".new";
        var stream = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        stream.Write(content);
        File.Move(next, path, overwrite: true);
        return stream;
    }
}

/// <summary>A journal cannot be read; an operator must decide what becomes of the host.</summary>
internal sealed class JournalDamagedException(string message, Exception inner) : Exception(message, inner);
