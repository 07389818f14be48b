using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>What a host's guests have asked of the storage.</summary>
internal sealed class StorageCounters : ICounting
{
    public long ReadBytes { get; set; }

    public long WrittenBytes { get; set; }

    /// <summary>Writes that came from here although another host had reserved the disk.</summary>
    public long RefusedWrites { get; set; }

    /// <summary>Requests beyond the end of a virtual disk.</summary>
    public long RequestsBeyondEnd { get; set; }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("storage", "read-bytes", ReadBytes);
        sheet.Add("storage", "written-bytes", WrittenBytes);
        sheet.Add("storage", "refused-writes", RefusedWrites);
        sheet.Add("storage", "requests-beyond-end", RequestsBeyondEnd);
    }
}

/// <summary>One host's way to one virtual disk: its requests carry the host's reservation key.</summary>
internal sealed class StoragePath(VirtualDisk disk, HostId host, StorageCounters counters)
{
    public VirtualDisk Disk => disk;

    public void Reserve() => disk.Reserve(host);

    public void ReserveIfFree() => disk.ReserveIfFree(host);

    public void Release() => disk.Release(host);

    public DiskResult Read(long sector, Span<byte> into)
    {
        var result = disk.Read(sector, into);
        if (result == DiskResult.Done)
            counters.ReadBytes += into.Length;
        return Counted(result);
    }

    public DiskResult Write(long sector, ReadOnlySpan<byte> data)
    {
        var result = disk.Write(host, sector, data);
        if (result == DiskResult.Done)
            counters.WrittenBytes += data.Length;
        return Counted(result);
    }

    private DiskResult Counted(DiskResult result)
    {
        counters.RefusedWrites += result == DiskResult.ReservationConflict ? 1 : 0;
        counters.RequestsBeyondEnd += result == DiskResult.BeyondEnd ? 1 : 0;
        return result;
    }
}
