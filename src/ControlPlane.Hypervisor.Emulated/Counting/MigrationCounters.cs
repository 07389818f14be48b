namespace ControlPlane.Hypervisor.Emulated.Counting;

/// <summary>What the guest's last migration from or to this host did; it goes with the guest.</summary>
internal sealed class MigrationCounters : ICounting
{
    public long Passes { get; set; }

    public long SentBytes { get; set; }

    /// <summary>Sent as a few bytes, since they hold nothing.</summary>
    public long ZeroPages { get; set; }

    /// <summary>Of devices that travelled with the guest.</summary>
    public long DeviceStateBytes { get; set; }

    /// <summary>The highest share of CPU time that auto-converge took.</summary>
    public double MaxThrottle { get; set; }

    /// <summary>Post-copy: the guest wrote to a page that had not come yet, and waited for it.</summary>
    public long PostCopyFaults { get; set; }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("migration", "passes", Passes);
        sheet.Add("migration", "sent-bytes", SentBytes);
        sheet.Add("migration", "zero-pages", ZeroPages);
        sheet.Add("migration", "device-state-bytes", DeviceStateBytes);
        sheet.Add("migration", "throttle-percent", (long)(MaxThrottle * 100));
        sheet.Add("migration", "post-copy-faults", PostCopyFaults);
    }
}
