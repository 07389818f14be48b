using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Memory;

/// <summary>
/// A host's physical page frames and what lies in them: guests' memory, and the tables that the VMM keeps for them. Frames are given back and
/// given out again, so a device that still writes to frames of a guest that is gone would write into the next one, if nothing stopped it.
/// </summary>
internal sealed class HostMemory : ITableMemory, ICounting
{
    /// <summary>The first MiB is the firmware's.</summary>
    private const long FirstTableFrame = 0x100;

    /// <summary>Tables lie below 64 GiB, guests from there on.</summary>
    private const long FirstGuestFrame = 1 << 24;

    /// <summary>Guests' memory begins at 2 MiB, so that a large page can map it.</summary>
    private const long SmallestAlignment = 512;

    private const int EntriesPerTable = GuestMemory.PageBytes / sizeof(ulong);

    private readonly SortedList<long, GuestMemory> owners = [];
    private readonly Dictionary<long, Stack<long>> freeBySize = [];
    private readonly List<ulong[]?> tables = [];
    private readonly Stack<long> freeTables = [];
    private long nextFrame = FirstGuestFrame;

    /// <summary>Whoever was found last: a device or a CPU that touches one page of a guest mostly touches another one next.</summary>
    private GuestMemory? lastOwner;
    private long lastFirst;

    /// <summary>Frames that hold tables.</summary>
    public long TableFrames => tables.Count - freeTables.Count;

    /// <summary>Gives a guest its frames, in one stretch; the answer is the first.</summary>
    /// <param name="alignment">The stretch begins at a multiple of so many frames.</param>
    public long Allocate(GuestMemory owner, long alignment = SmallestAlignment)
    {
        alignment = Math.Max(alignment, SmallestAlignment);
        long first;
        if (freeBySize.TryGetValue(owner.Pages, out var free) && free.TryPeek(out var reused) && reused % alignment == 0)
        {
            first = free.Pop();
        }
        else
        {
            first = (nextFrame + alignment - 1) / alignment * alignment;
            nextFrame = first + owner.Pages;
        }
        owners.Add(first, owner);
        return first;
    }

    public void Free(long firstFrame)
    {
        if (!owners.Remove(firstFrame, out var owner))
            throw new InvalidOperationException($"Frame {firstFrame:x} starts nobody's memory.");
        if (!freeBySize.TryGetValue(owner.Pages, out var free))
            freeBySize[owner.Pages] = free = new Stack<long>();
        free.Push(firstFrame);
        lastOwner = null;
    }

    /// <summary>A frame full of zeros for a table of the VMM.</summary>
    public long AllocateTable()
    {
        if (!freeTables.TryPop(out var frame))
        {
            frame = FirstTableFrame + tables.Count;
            if (frame >= FirstGuestFrame)
                throw new InvalidOperationException("The host has no frame left for tables.");
            tables.Add(null);
        }
        // Each migration makes and drops thousands.
        var entries = ArrayPool<ulong>.Shared.Rent(EntriesPerTable);
        Array.Clear(entries);
        tables[(int)(frame - FirstTableFrame)] = entries;
        return frame;
    }

    public void FreeTable(long frame)
    {
        ref var entries = ref CollectionsMarshal.AsSpan(tables)[(int)(frame - FirstTableFrame)];
        ArrayPool<ulong>.Shared.Return(entries ?? throw new InvalidOperationException($"Frame {frame:x} holds no table."));
        entries = null;
        freeTables.Push(frame);
    }

    /// <summary>The entries of a table of the VMM, to be gone through at once.</summary>
    public Span<ulong> TableAt(long frame) => tables[(int)(frame - FirstTableFrame)];

    public bool TryReadEntry(long address, int bytes, out ulong entry)
    {
        var frame = address / GuestMemory.PageBytes;
        var table = frame - FirstTableFrame;
        if ((ulong)table < (ulong)tables.Count && tables[(int)table] is { } entries)
        {
            entry = entries[(address % GuestMemory.PageBytes) / sizeof(ulong)];
            if (bytes == sizeof(uint))
                entry = (address & sizeof(uint)) == 0 ? (uint)entry : entry >> 32;
            return true;
        }
        entry = 0;
        return TryFind(frame, out var owner, out var page)
            && owner.TryReadEntry((page * GuestMemory.PageBytes) + (address % GuestMemory.PageBytes), bytes, out entry);
    }

    public void WriteEntry(long address, int bytes, ulong entry)
    {
        var frame = address / GuestMemory.PageBytes;
        var table = frame - FirstTableFrame;
        if ((ulong)table < (ulong)tables.Count && tables[(int)table] is { } entries)
        {
            var at = (address % GuestMemory.PageBytes) / sizeof(ulong);
            entries[at] = bytes == sizeof(ulong) ? entry
                : (address & sizeof(uint)) == 0 ? (entries[at] & ~(ulong)uint.MaxValue) | (uint)entry
                : (uint)entries[at] | (entry << 32);
        }
        else if (TryFind(frame, out var owner, out var page))
        {
            owner.WriteEntry((page * GuestMemory.PageBytes) + (address % GuestMemory.PageBytes), bytes, entry);
        }
        else
        {
            throw new InvalidOperationException($"Nothing is at host address {address:x}.");
        }
    }

    /// <summary>The guest whose memory lies in the frame, and which page of it that is.</summary>
    public bool TryFind(long frame, [MaybeNullWhen(false)] out GuestMemory owner, out long guestPage)
    {
        guestPage = frame - lastFirst;
        if (lastOwner is { } last && (ulong)guestPage < (ulong)last.Pages)
        {
            owner = last;
            return true;
        }
        var (low, high) = (0, owners.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (owners.Keys[middle] <= frame)
                low = middle + 1;
            else
                high = middle - 1;
        }
        owner = high < 0 ? null : owners.Values[high];
        guestPage = high < 0 ? 0 : frame - owners.Keys[high];
        if (owner is not null && guestPage < owner.Pages)
        {
            (lastOwner, lastFirst) = (owner, owners.Keys[high]);
            return true;
        }
        owner = null;
        return false;
    }

    public void CountInto(CounterSheet sheet) => sheet.Add("memory", "table-bytes", TableFrames * GuestMemory.PageBytes);
}
