using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Memory;

/// <summary>
/// A guest's memory: as many pages as it was given, of which only those are held that something of the model has written to
/// (frames that a NIC delivered). What the guest's own programs write is known by its pages, not by its bytes.
/// </summary>
internal sealed class GuestMemory : ICounting
{
    public const int PageBytes = 4096;

    /// <summary>Contents are held in pieces of this size: a received frame shall not cost a page.</summary>
    private const int LineBytes = 256;

    private Dictionary<long, byte[]>? lines;
    private PageBitmap? dirtyLog;

    public GuestMemory(long bytes) => Pages = (bytes + PageBytes - 1) / PageBytes;

    public long Pages { get; }

    public long Bytes => Pages * PageBytes;

    /// <summary>True while writes are recorded for a migration.</summary>
    public bool IsLogging => dirtyLog is not null;

    /// <summary>Pages dirtied since the log was last taken.</summary>
    public long DirtyPages => dirtyLog?.Count ?? 0;

    /// <summary>Stores bytes at a guest-physical address. Any writer (device, vhost, CPU) goes through here, so the dirty log misses none.</summary>
    public void Write(long address, ReadOnlySpan<byte> data)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)(address + data.Length), (ulong)Bytes, nameof(address));
        lines ??= [];
        while (data.Length > 0)
        {
            var line = address / LineBytes;
            var offset = (int)(address % LineBytes);
            var length = Math.Min(data.Length, LineBytes - offset);
            if (!lines.TryGetValue(line, out var bytes))
                lines[line] = bytes = new byte[LineBytes];
            data[..length].CopyTo(bytes.AsSpan(offset));
            dirtyLog?.Add(address / PageBytes);
            address += length;
            data = data[length..];
        }
    }

    public void Read(long address, Span<byte> into)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)(address + into.Length), (ulong)Bytes, nameof(address));
        while (into.Length > 0)
        {
            var offset = (int)(address % LineBytes);
            var length = Math.Min(into.Length, LineBytes - offset);
            if (lines is not null && lines.TryGetValue(address / LineBytes, out var bytes))
                bytes.AsSpan(offset, length).CopyTo(into);
            else
                into[..length].Clear();
            address += length;
            into = into[length..];
        }
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("memory", "total-bytes", Bytes);
        sheet.Add("memory", "held-bytes", (long)(lines?.Count ?? 0) * LineBytes);
        sheet.Add("memory", "dirty-pages", DirtyPages);
    }

    /// <summary>The guest's programs wrote to this page.</summary>
    public void Touch(long page) => dirtyLog?.Add(page);

    public void TouchRange(long first, long count) => dirtyLog?.AddRange(first, count);

    public void StartDirtyLog() => dirtyLog ??= new PageBitmap(Pages);

    public void StopDirtyLog() => dirtyLog = null;

    /// <summary>The pages dirtied since the last time, which are clean again from now on.</summary>
    public PageBitmap TakeDirty()
    {
        var taken = dirtyLog ?? throw new InvalidOperationException("Nothing is logged.");
        dirtyLog = new PageBitmap(Pages);
        return taken;
    }

    /// <summary>Sends the contents of these pages to the other end of a migration.</summary>
    public void CopyTo(GuestMemory target, PageBitmap pages)
    {
        foreach (var (line, bytes) in lines ?? [])
        {
            if (pages.Contains(line * LineBytes / PageBytes))
                target.Write(line * LineBytes, bytes);
        }
    }
}
