using System.Diagnostics;
using ControlPlane.Benchmarks.Memory;
using ControlPlane.Hypervisor.Emulated;
using ControlPlane.Hypervisor.Emulated.Tours;

namespace ControlPlane.Benchmarks;

/// <summary>A fleet under load in virtual time: how fast it lives on one core, whether it lives the same life twice, and what a guest that idles takes.</summary>
internal static class FleetBenchmark
{
    private const ulong Seed = 1;
    private const int Rounds = 5;
    private const int IdleGuests = 500;
    private const long MiB = 1 << 20;

    public static IEnumerable<Measurement> Run() =>
    [
        .. Speed(new FleetLoad(), "under load", seconds => Measurement.AtLeast(seconds.Name, seconds.Value, 100, "s a second", 0)),
        .. Speed(FleetLoad.Storm, "in a storm", seconds => Measurement.Plain(seconds.Name, seconds.Value, "s a second", 0)),
        .. Memory(), GrowthPerMigration(),
    ];

    private static IEnumerable<Measurement> Speed(FleetLoad load, string how, Func<(string Name, double Value), Measurement> simulated)
    {
        using var run = new FleetRun(Seed, load);
        // Until its code is compiled, and each kind of event has happened.
        var warmUp = WarmUpOf(load);
        run.Pass(warmUp);
        var hash = run.TraceHash;
        // In each round a host dies and comes back.
        var round = load.CrashEach + load.DownFor;
        var (before, best) = (run.Counts with { }, 0.0);
        for (var n = 0; n < Rounds; n++)
        {
            var began = Stopwatch.GetTimestamp();
            run.Pass(round);
            best = Math.Max(best, round / Stopwatch.GetElapsedTime(began));
        }
        var passed = Rounds * round.TotalSeconds;
        yield return simulated(($"{load.Hosts} hosts with {load.Hosts * load.GuestsPerHost:N0} guests {how}, simulated time", best));
        yield return Measurement.Plain("  of it: migrations", (run.Counts.Migrations - before.Migrations) / passed, "a simulated second");
        yield return Measurement.Plain("  of it: functions plugged and unplugged", (run.Counts.Plugs + run.Counts.Unplugs - before.Plugs - before.Unplugs) / passed, "a simulated second");
        yield return Measurement.Plain("  of it: frames that guests sent themselves", load.SentFramesPerSecond, "a simulated second", 0);
        yield return Measurement.Plain("  of it: reads of statistics", (load.Hosts + load.GuestsWatched) / load.LookEach.TotalSeconds, "a simulated second", 0);
        yield return Measurement.Plain("  of it: hosts that died and came back", (run.Counts.Revivals - before.Revivals) * 60 / passed, "a simulated minute");
        yield return Trace("the same seed", hash, TraceOf(Seed, load), same: true);
        yield return Trace("another seed", hash, TraceOf(Seed + 1, load), same: false);
    }

    private static ulong TraceOf(ulong seed, FleetLoad load)
    {
        using var again = new FleetRun(seed, load);
        again.Pass(WarmUpOf(load));
        return again.TraceHash;
    }

    private static TimeSpan WarmUpOf(FleetLoad load) => load.CrashEach + (2 * load.DownFor);

    private static Measurement Trace(string seed, ulong first, ulong second, bool same) => new(
        $"  its trace once more with {seed}", $"{second:x16}", $"{(same ? "" : "not ")}{first:x16}", (first == second) == same);

    private static IEnumerable<Measurement> Memory()
    {
        using var ground = new TourGround(new EmulationOptions(), hosts: 1);
        var host = ground.Hosts[0];
        IdleGuest(ground, host);
        var before = MemoryReading.Take(0);
        var guests = Enumerable.Range(0, IdleGuests).Select(_ => IdleGuest(ground, host)).ToArray();
        ground.Run(() => Task.Delay(TimeSpan.FromMinutes(10), ground.Time));
        var idle = MemoryReading.Take(0);
        foreach (var guest in guests)
            ground.Run(async () => TourGround.Ok(await host.Statistics.ReadDomainStatisticsAsync(guest, default)));
        var seen = MemoryReading.Take(0);
        var each = PerGuest(before, idle);
        yield return Measurement.AtMost($"idle guest of 4 GiB, of {IdleGuests}: heap after a collection", (idle.ManagedBytes - before.ManagedBytes) / (double)IdleGuests / 1024, 1024, "KiB");
        yield return Measurement.AtMost("idle guest of 4 GiB: resident memory of the process", (idle.ResidentBytes - before.ResidentBytes) / (double)IdleGuests / 1024, 1024, "KiB");
        yield return Measurement.AtLeast("idle guests of 4 GiB, in a GiB of memory", 1024 * MiB / each, 1024, "", 0);
        yield return Measurement.AtMost("the same once its statistics were read: heap", (seen.ManagedBytes - before.ManagedBytes) / (double)IdleGuests / 1024, 1024, "KiB");
        GC.KeepAlive(guests);
    }

    /// <summary>What is left of each migration of one guest, from the floor of some readings to that of later ones.</summary>
    private static Measurement GrowthPerMigration()
    {
        const int migrations = 1000;
        using var fleet = new VirtualFleet("dual-82576", hosts: 2, EmulationOptions.Fast);
        var guest = fleet.NewGuest(64) with
        {
            Interfaces = [new Hypervisor.DomainInterface("net0", new Domain.Networks.MacAddress(0x5254_0000_0001UL), "bench", null, null, false, true, Domain.Pci.PciAddress.Parse("0000:00:03.0"))],
        };
        fleet.Run(async () =>
        {
            TourGround.Ok(await fleet.Hosts[0].DefineAsync(guest, default));
            TourGround.Ok(await fleet.Hosts[0].StartAsync(guest.Ref, default));
        });
        Move(fleet, guest, migrations);
        var before = MemoryReading.Take(migrations).ManagedBytes;
        Move(fleet, guest, 2 * migrations);
        var after = MemoryReading.Take(3 * migrations).ManagedBytes;
        return Measurement.AtMost(
            $"heap growth per migration of one guest, from the {migrations:N0}th to the {3 * migrations:N0}th", (after - before) / (2.0 * migrations), 8, "bytes");
    }

    private static void Move(VirtualFleet fleet, Hypervisor.DomainDefinition guest, int times) => fleet.Run(async () =>
    {
        var options = new Hypervisor.CopyOptions(Domain.Migrations.MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), AutoConverge: false);
        for (var n = 0; n < times; n++)
        {
            var (source, target) = (fleet.Hosts[n % 2], fleet.Hosts[(n + 1) % 2]);
            var incoming = TourGround.Ok(await target.Migration.PrepareIncomingAsync(guest, default));
            TourGround.Ok(await source.Migration.BeginCopyAsync(guest.Ref, incoming, options, default));
            while (TourGround.Ok(await source.Migration.ReadProgressAsync(guest.Ref, default)).Phase != Hypervisor.CopyPhase.HoldingBeforeSwitchOver)
                await fleet.PassAsync(TimeSpan.FromMilliseconds(10));
            TourGround.Ok(await source.Migration.SwitchOverAsync(guest.Ref, default));
        }
    });

    /// <summary>The larger of what the heap holds and what the kernel counts.</summary>
    private static double PerGuest(MemoryReading before, MemoryReading after) =>
        Math.Max(after.ManagedBytes - before.ManagedBytes, after.ResidentBytes - before.ResidentBytes) / (double)IdleGuests;

    /// <summary>Memory that is in use as a whole, extended page tables: what a guest has of which no label says otherwise.</summary>
    private static Domain.VmId IdleGuest(TourGround ground, Hypervisor.IHypervisor host)
    {
        var guest = ground.Guest(4096);
        ground.Run(async () =>
        {
            TourGround.Ok(await host.DefineAsync(guest, default));
            TourGround.Ok(await host.StartAsync(guest.Ref, default));
        });
        return guest.Ref.Vm;
    }
}
