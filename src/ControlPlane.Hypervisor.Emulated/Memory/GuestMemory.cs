using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Memory;

/// <summary>
/// A guest's memory: as many pages as it was given, of which only those are held that something of the model has written to
/// (frames that a NIC delivered, the guest's own page tables). What the guest's programs write is known by its pages, not by its bytes.
/// </summary>
/// <remarks>
/// Three kinds of writers, one dirty log. What the VMM writes for the guest (vhost, an emulated device, a carried out instruction) goes into the log
/// as it writes. What a function writes by DMA sets no dirty bit of any table that the CPU walks; hosts know it from the VFIO driver or from the
/// IOMMU's dirty bits (<c>VFIO_DEVICE_FEATURE_DMA_LOGGING_START</c>), and here too it goes into the log at once. What the guest's CPUs write is
/// known to <see cref="CpuWrites"/>, which is asked whenever the log is read.
/// </remarks>
internal sealed class GuestMemory : ITableMemory, ICounting
{
    public const int PageBytes = 4096;

    /// <summary>Contents are held in pieces of this size: a received frame shall not cost a page.</summary>
    private const int LineBytes = 256;

    private LineTable? lines;
    private PageBitmap? dirtyLog;

    public GuestMemory(long bytes) => UsedPages = Pages = (bytes + PageBytes - 1) / PageBytes;

    public long Pages { get; }

    public long Bytes => Pages * PageBytes;

    /// <summary>Pages in the middle of memory that the guest's programs have filled; the rest holds only what the model wrote there.</summary>
    public long UsedPages { get; init; }

    /// <summary>Pages that hold nothing but zeros.</summary>
    public long ZeroPages
    {
        get
        {
            var firstUsed = (Pages - UsedPages) / 2;
            var outside = (lines?.All ?? []).Select(held => held.Line * LineBytes / PageBytes)
                .Where(page => page < firstUsed || page >= firstUsed + UsedPages).Distinct().Count();
            return Pages - UsedPages - outside;
        }
    }

    /// <summary>True while writes are recorded for a migration.</summary>
    public bool IsLogging => dirtyLog is not null;

    /// <summary>Who knows what the guest's CPUs write; null: nobody.</summary>
    public IWriteTracker? CpuWrites { get; set; }

    /// <summary>Pages dirtied since the log was last taken.</summary>
    public long DirtyPages
    {
        get
        {
            if (dirtyLog is null)
                return 0;
            CpuWrites?.Drain();
            return dirtyLog.Count;
        }
    }

    /// <summary>Stores bytes at a guest-physical address, for any writer but the guest's own CPUs (device, vhost, VMM), and logs it.</summary>
    public void Write(long address, ReadOnlySpan<byte> data) => Store(address, data, dirtyLog);

    public void Read(long address, Span<byte> into)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)(address + into.Length), (ulong)Bytes, nameof(address));
        while (into.Length > 0)
        {
            var offset = (int)(address % LineBytes);
            var length = Math.Min(into.Length, LineBytes - offset);
            if (lines?.Find(address / LineBytes) is { } bytes)
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

    public bool TryReadEntry(long address, int bytes, out ulong entry)
    {
        entry = 0;
        if ((ulong)address > (ulong)(Bytes - bytes))
            return false;
        if (lines?.Find(address / LineBytes) is not { } line)
            return true;
        var at = line.AsSpan((int)(address % LineBytes), bytes);
        entry = bytes == sizeof(ulong) ? BinaryPrimitives.ReadUInt64LittleEndian(at) : BinaryPrimitives.ReadUInt32LittleEndian(at);
        return true;
    }

    /// <summary>A CPU of the guest stores an entry of a table: that it did is known to <see cref="CpuWrites"/>.</summary>
    public void WriteEntry(long address, int bytes, ulong entry)
    {
        Span<byte> data = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(data, entry);
        Store(address, data[..bytes], log: null);
    }

    /// <summary>True when the page is in the log already, so that another write to it says nothing new.</summary>
    public bool IsLogged(long page) => dirtyLog?.Contains(page) ?? false;

    /// <summary>The page was written to, by whomever.</summary>
    public void LogWrite(long page) => dirtyLog?.Add(page);

    public void StartDirtyLog()
    {
        if (dirtyLog is not null)
            return;
        dirtyLog = new PageBitmap(Pages);
        CpuWrites?.StartLogging();
    }

    public void StopDirtyLog()
    {
        if (dirtyLog is null)
            return;
        dirtyLog = null;
        CpuWrites?.StopLogging();
    }

    /// <summary>The pages dirtied since the last time, which are clean again from now on.</summary>
    public PageBitmap TakeDirty()
    {
        var taken = dirtyLog ?? throw new InvalidOperationException("Nothing is logged.");
        CpuWrites?.Drain();
        dirtyLog = new PageBitmap(Pages);
        CpuWrites?.Rearm(taken);
        return taken;
    }

    /// <summary>Sends the contents of these pages to the other end of a migration.</summary>
    public void CopyTo(GuestMemory target, PageBitmap pages)
    {
        foreach (var (line, bytes) in lines?.All ?? [])
        {
            if (pages.Contains(line * LineBytes / PageBytes))
                target.Write(line * LineBytes, bytes);
        }
    }

    private void Store(long address, ReadOnlySpan<byte> data, PageBitmap? log)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)(address + data.Length), (ulong)Bytes, nameof(address));
        lines ??= new LineTable();
        while (data.Length > 0)
        {
            var line = address / LineBytes;
            var offset = (int)(address % LineBytes);
            var length = Math.Min(data.Length, LineBytes - offset);
            if (lines.Find(line) is not { } bytes)
                lines.Add(line, bytes = new byte[LineBytes]);
            data[..length].CopyTo(bytes.AsSpan(offset));
            log?.Add(address / PageBytes);
            address += length;
            data = data[length..];
        }
    }
}
