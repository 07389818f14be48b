using ControlPlane.Domain.Migrations;

namespace ControlPlane.Orchestration.Migrations;

/// <summary>
/// Predicts a migration. The copy: from what the source's hypervisor says that it would meet, or else from what the wire gave in those that were
/// measured. The devices: from the 95th percentile of what such devices took. Where nothing was measured yet it takes cautious figures for hardware.
/// </summary>
public static class MigrationEstimator
{
    /// <summary>Migrations looked back on.</summary>
    public const int HistoryLength = 200;

    private const double UntriedMiBPerSecond = 1024;
    private static readonly TimeSpan UntriedUnplug = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan UntriedReplug = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan UntriedFailoverGap = TimeSpan.FromMilliseconds(100);

    /// <param name="load">What the copy would meet now; null: the hypervisor cannot tell.</param>
    public static MigrationEstimate Estimate(
        IReadOnlyList<Migration> history, MigrationRequest request, long memoryMiB, IReadOnlyList<MigratedDevice> devices, MigrationLoad? load)
    {
        var ended = history.Where(m => m.State == MigrationState.Succeeded).ToList();
        var outlook = load is null ? FromHistory(ended, request, memoryMiB) : MigrationForecast.Of(load, MemoryCopy.PlanOf(request));
        var (copy, downtime) = (outlook.Copy, outlook.Downtime);

        var past = ended.SelectMany(m => m.Devices).ToList();
        var gaps = new Dictionary<string, TimeSpan>();
        var unplug = TimeSpan.Zero;
        var replug = TimeSpan.Zero;
        foreach (var device in devices)
        {
            if (device.Method == DeviceMethod.Vfio)
            {
                gaps[device.Name] = downtime;
                continue;
            }
            var like = past.Where(d => d.Method == device.Method).ToList();
            var off = P95(like.Select(d => d.Unplug)) ?? UntriedUnplug;
            var on = P95(like.Select(d => d.Replug)) ?? UntriedReplug;
            unplug = Max(unplug, off);
            replug += on;
            gaps[device.Name] = device.Method == DeviceMethod.Failover
                ? Max(P95(like.Select(d => d.Gap)) ?? UntriedFailoverGap, downtime)
                : off + copy + downtime + on;
        }
        return new MigrationEstimate(downtime, gaps, unplug + outlook.Total + replug);
    }

    private static MigrationOutlook FromHistory(List<Migration> ended, MigrationRequest request, long memoryMiB)
    {
        var rate = Math.Min(
            request.BandwidthMiBPerSecond ?? double.PositiveInfinity,
            Median(ended.Select(CopyMiBPerSecond).Where(r => r > 0)) ?? UntriedMiBPerSecond);
        var copy = TimeSpan.FromSeconds(Math.Min(memoryMiB / rate, TimeSpan.FromDays(1).TotalSeconds));
        var downtime = P95(ended.Select(m => m.Transfer.Downtime)) ?? request.DowntimeLimit;
        return new MigrationOutlook(copy, downtime, TimeSpan.Zero, 1, Converges: true, 0);
    }

    private static double CopyMiBPerSecond(Migration migration)
    {
        var seconds = ((migration.EndedAt ?? migration.CreatedAt) - migration.CreatedAt).TotalSeconds;
        return seconds <= 0 ? 0 : migration.Transfer.BytesTransferred / 1048576.0 / seconds;
    }

    private static double? Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted.Length == 0 ? null : sorted[sorted.Length / 2];
    }

    private static TimeSpan? P95(IEnumerable<TimeSpan?> values)
    {
        var sorted = values.OfType<TimeSpan>().Order().ToArray();
        return sorted.Length == 0 ? null : sorted[(int)Math.Ceiling(0.95 * sorted.Length) - 1];
    }

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
