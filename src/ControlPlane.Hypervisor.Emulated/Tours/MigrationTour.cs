using System.Globalization;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>The same guest moved again and again, writing faster each time: how pre-copy converges, when it no longer does, and what then helps.</summary>
internal sealed class MigrationTour : ITour
{
    private const long MemoryMiB = 2048;
    private const int WorkingSetMiB = 512;
    private static readonly TimeSpan GiveUp = TimeSpan.FromSeconds(20);

    public string Name => "migration";

    public string Summary => "Live migration copies memory in passes while the guest goes on writing";

    public void Run(TextWriter output)
    {
        output.WriteLine($"A guest of {MemoryMiB} MiB writes over {WorkingSetMiB} MiB of it; the link carries 1,150 MiB/s; the downtime limit is 30 ms.");
        output.WriteLine();
        var table = new TourTable("guest writes", "by", "passes", "MiB sent", "total", "downtime", "faults", "throttled", "ended as");
        foreach (var rate in new[] { 16, 200, 900, 2000 })
            table.Add(Moved(rate, "pre-copy", MigrationMode.PreCopy, autoConverge: false));
        table.Add(Moved(2000, "pre-copy, auto-converge", MigrationMode.PreCopy, autoConverge: true));
        table.Add(Moved(2000, "post-copy", MigrationMode.PostCopy, autoConverge: false));
        table.WriteTo(output);
        output.WriteLine($"A copy that had not converged after {GiveUp.TotalSeconds} s was given up; its guest runs on where it was.");
    }

    private static object[] Moved(int mibPerSecond, string means, MigrationMode mode, bool autoConverge)
    {
        using var ground = new TourGround(EmulationOptions.Fast);
        object[]? row = null;
        ground.Run(async () => row = await MoveAsync(ground, mibPerSecond, means, mode, autoConverge));
        return row!;
    }

    private static async Task<object[]> MoveAsync(TourGround ground, int mibPerSecond, string means, MigrationMode mode, bool autoConverge)
    {
        var (source, target) = (ground.Hosts[0], ground.Hosts[1]);
        var guest = ground.Guest(
            MemoryMiB, (GuestLabels.DirtyMiBPerSecond, Text(mibPerSecond)), (GuestLabels.WorkingSetMiB, Text(WorkingSetMiB)));
        TourGround.Ok(await source.DefineAsync(guest, default));
        TourGround.Ok(await source.StartAsync(guest.Ref, default));
        var incoming = TourGround.Ok(await target.Migration.PrepareIncomingAsync(guest, default));
        var began = ground.Time.GetUtcNow();
        var options = new CopyOptions(mode, null, TimeSpan.FromMilliseconds(30), autoConverge);
        TourGround.Ok(await source.Migration.BeginCopyAsync(guest.Ref, incoming, options, default));
        var progress = await WaitAsync(ground, source, guest);
        if (progress.Phase == CopyPhase.HoldingBeforeSwitchOver)
        {
            TourGround.Ok(await source.Migration.SwitchOverAsync(guest.Ref, default));
            progress = TourGround.Ok(await source.Migration.ReadProgressAsync(guest.Ref, default));
        }
        else
        {
            TourGround.Ok(await source.Migration.AbortCopyAsync(guest.Ref, default));
        }

        var where = progress.Phase == CopyPhase.Completed ? target : source;
        var counted = TourGround.Ok(await where.Statistics.ReadDomainStatisticsAsync(guest.Ref.Vm, default)).Groups
            .Single(g => g.Name == "migration").Counters.ToDictionary(c => c.Name, c => c.Value);
        return
        [
            $"{mibPerSecond} MiB/s", means, progress.Passes, progress.BytesTransferred / (1024 * 1024),
            ground.Time.GetUtcNow() - began, progress.Downtime is { } downtime ? downtime : "-",
            counted["post-copy-faults"], $"{counted["throttle-percent"]} %",
            progress.Phase == CopyPhase.Completed ? "moved" : "given up",
        ];
    }

    private static async Task<CopyProgress> WaitAsync(TourGround ground, IHypervisor source, DomainDefinition guest)
    {
        var until = ground.Time.GetUtcNow() + GiveUp;
        while (true)
        {
            var progress = TourGround.Ok(await source.Migration.ReadProgressAsync(guest.Ref, default));
            if (progress.Phase != CopyPhase.Copying || ground.Time.GetUtcNow() >= until)
                return progress;
            await Task.Delay(TimeSpan.FromMilliseconds(10), ground.Time);
        }
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
