using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Devices;

/// <summary>What a guest's virtual disks have done for it here.</summary>
internal sealed class DiskCounters : ICounting
{
    public long Reads { get; set; }

    public long Writes { get; set; }

    public long Flushes { get; set; }

    public long ReadBytes { get; set; }

    public long WrittenBytes { get; set; }

    /// <summary>Requests that ended with an error for the guest.</summary>
    public long Errors { get; set; }

    /// <summary>Requests of a kind that the device does not know, or that are none.</summary>
    public long UnsupportedRequests { get; set; }

    public long Kicks { get; set; }

    public long SuppressedKicks { get; set; }

    public long Interrupts { get; set; }

    public long SuppressedInterrupts { get; set; }

    public long Exits { get; set; }

    /// <summary>Requests that were under way on another host when the guest moved, and were done again here.</summary>
    public long RepeatedRequests { get; set; }

    /// <summary>Blocks that did not hold what the guest had written there.</summary>
    public long WrongBlocks { get; set; }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("disk", "reads", Reads);
        sheet.Add("disk", "writes", Writes);
        sheet.Add("disk", "flushes", Flushes);
        sheet.Add("disk", "read-bytes", ReadBytes);
        sheet.Add("disk", "written-bytes", WrittenBytes);
        sheet.Add("disk", "errors", Errors);
        sheet.Add("disk", "unsupported-requests", UnsupportedRequests);
        sheet.Add("disk", "kicks", Kicks);
        sheet.Add("disk", "suppressed-kicks", SuppressedKicks);
        sheet.Add("disk", "interrupts", Interrupts);
        sheet.Add("disk", "suppressed-interrupts", SuppressedInterrupts);
        sheet.Add("disk", "exits", Exits);
        sheet.Add("disk", "repeated-requests", RepeatedRequests);
        sheet.Add("disk", "wrong-blocks", WrongBlocks);
    }
}
