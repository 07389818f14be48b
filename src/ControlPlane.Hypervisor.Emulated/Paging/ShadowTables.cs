using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>Which of the guest's tables a shadow table stands for.</summary>
/// <param name="Page">The guest page that the table lies in; of a direct one, the first page that it maps.</param>
/// <param name="IsDirect">Stands for no table: a part of one of the guest's large pages, in small pages.</param>
internal readonly record struct ShadowKey(long Page, int Level, bool IsDirect);

/// <summary>A guest's shadow tables, in host frames: one for each table of the guest that was used, so that what its processes share is shadowed once.</summary>
internal sealed class ShadowTables(HostMemory host, PageFormat format)
{
    private readonly Dictionary<ShadowKey, long> frames = [];

    public int Count => frames.Count;

    /// <summary>True when the page holds a table of the guest that is shadowed: writes to it have to be seen.</summary>
    public bool IsTable(long page)
    {
        for (var level = 1; level <= format.Levels; level++)
        {
            if (frames.ContainsKey(new ShadowKey(page, level, false)))
                return true;
        }
        return false;
    }

    public long Find(ShadowKey key) => frames.GetValueOrDefault(key, -1);

    public long Add(ShadowKey key)
    {
        var frame = host.AllocateTable();
        frames.Add(key, frame);
        return frame;
    }

    /// <summary>Takes the write permission from each leaf whose host frame is chosen. True when there was one.</summary>
    public bool Protect(Func<long, bool> chosen)
    {
        var any = false;
        foreach (var (key, frame) in frames)
        {
            if (key.Level != 1)
                continue;
            foreach (ref var entry in host.TableAt(frame))
            {
                if (!format.IsPresent(entry) || (entry & PageFormat.Writable) == 0 || !chosen(format.AddressOf(entry) >> PageFormat.PageShift))
                    continue;
                entry &= ~PageFormat.Writable;
                any = true;
            }
        }
        return any;
    }

    /// <summary>The guest changed an entry of one of its tables: what was made of it goes. True when something was.</summary>
    public bool Drop(long guestAddress)
    {
        var any = false;
        var (page, offset) = PageFormat.Split(guestAddress);
        for (var level = 1; level <= format.Levels; level++)
        {
            if (!frames.TryGetValue(new ShadowKey(page, level, false), out var frame))
                continue;
            ref var entry = ref host.TableAt(frame)[(int)(offset / format.EntryBytes)];
            any |= format.IsPresent(entry);
            entry = 0;
        }
        return any;
    }

    public void Clear()
    {
        foreach (var frame in frames.Values)
            host.FreeTable(frame);
        frames.Clear();
    }
}
