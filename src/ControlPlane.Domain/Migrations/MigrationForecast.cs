namespace ControlPlane.Domain.Migrations;

/// <summary>What a migration will have to carry, and over what: measured by the source's hypervisor when it is asked.</summary>
/// <param name="FirstPassBytes">All of memory, with pages that hold only zeros as the few bytes they take on the wire.</param>
/// <param name="DirtyBytesPerSecond">Written by the guest: each write counted as the page it dirties.</param>
/// <param name="WorkingSetBytes">The memory over which these writes are spread.</param>
/// <param name="WireBytesPerSecond">What the copy would get of the network now.</param>
/// <param name="PreCopyStateBytes">State of travelling devices that can be read while they work.</param>
/// <param name="StopStateBytes">State of travelling devices that is read once they stand still.</param>
/// <param name="SwitchOver">What a switch-over takes beside the bytes it sends.</param>
public sealed record MigrationLoad(
    long FirstPassBytes, double DirtyBytesPerSecond, long WorkingSetBytes, double WireBytesPerSecond, long PreCopyStateBytes, long StopStateBytes,
    TimeSpan SwitchOver);

/// <summary>What was asked of the copy.</summary>
/// <param name="FirstLimit">The downtime that the copy may end with at first.</param>
/// <param name="LastLimit">The one it is raised to, pass by pass, when it does not converge.</param>
/// <param name="Rungs">In how many equal steps.</param>
public sealed record MigrationPlan(MigrationMode Mode, TimeSpan FirstLimit, TimeSpan LastLimit, int Rungs, bool AutoConverge, TimeSpan GiveUpAfter);

/// <param name="Copy">From the first byte until the copy holds, or gives up.</param>
/// <param name="AfterSwitchOver">Post-copy: until the last page has followed the guest.</param>
/// <param name="Converges">False: it would be given up.</param>
/// <param name="Throttle">The share of CPU time that auto-converge takes from the guest at the end.</param>
public sealed record MigrationOutlook(TimeSpan Copy, TimeSpan Downtime, TimeSpan AfterSwitchOver, int Passes, bool Converges, double Throttle)
{
    public TimeSpan Total => Copy + Downtime + AfterSwitchOver;
}

/// <summary>
/// Predicts a copy by going through its passes: n writes that fall at random on W pages leave W (1 - (1 - 1/W)^n) of them dirty, which is what the next pass
/// has to send.
/// </summary>
public static class MigrationForecast
{
    private const double PageBytes = 4096;

    /// <summary>One bit a page says which are still to come.</summary>
    private const double BitmapShare = 1 / (8 * PageBytes);

    public static MigrationOutlook Of(MigrationLoad load, MigrationPlan plan)
    {
        var converge = plan.AutoConverge ? new ConvergePolicy() : null;
        var limit = plan.FirstLimit;
        var (elapsed, bytes, passes) = (0.0, (double)(load.FirstPassBytes + load.PreCopyStateBytes), 0);
        while (true)
        {
            var takes = bytes / load.WireBytesPerSecond;
            elapsed += takes;
            passes++;
            var dirty = DirtyAfter(load, takes * (1 - (converge?.Throttle ?? 0)));
            if (plan.Mode == MigrationMode.PostCopy)
                return PostCopy(load, elapsed, dirty);
            var left = (dirty + load.StopStateBytes) / load.WireBytesPerSecond;
            var converges = left <= limit.TotalSeconds;
            if (converges || elapsed >= plan.GiveUpAfter.TotalSeconds)
                return new MigrationOutlook(Seconds(elapsed), Seconds(left) + load.SwitchOver, TimeSpan.Zero, passes, converges, converge?.Throttle ?? 0);
            converge?.OnPassEnded((long)bytes, (long)dirty);
            if (passes >= 2 && limit < plan.LastLimit)
                limit += plan.LastLimit / plan.Rungs;
            bytes = dirty;
        }
    }

    /// <summary>The guest goes over after one pass, and what it had dirtied meanwhile follows it.</summary>
    private static MigrationOutlook PostCopy(MigrationLoad load, double elapsed, double dirty)
    {
        var stop = (load.StopStateBytes + (load.FirstPassBytes * BitmapShare)) / load.WireBytesPerSecond;
        return new MigrationOutlook(Seconds(elapsed), Seconds(stop) + load.SwitchOver, Seconds(dirty / load.WireBytesPerSecond), 1, Converges: true, 0);
    }

    private static double DirtyAfter(MigrationLoad load, double seconds)
    {
        var pages = Math.Max(1, load.WorkingSetBytes / PageBytes);
        var writes = load.DirtyBytesPerSecond * seconds / PageBytes;
        return pages * (1 - Math.Exp(-writes / pages)) * PageBytes;
    }

    private static TimeSpan Seconds(double seconds) => TimeSpan.FromSeconds(Math.Min(seconds, TimeSpan.FromDays(365).TotalSeconds));
}
