using ControlPlane.Hypervisor.Emulated.Tours;

namespace ControlPlane.Hypervisor.Emulated.Tests.Hosts;

/// <summary>A fleet of which much happens at once: it lives the same life again, and what idles in it takes little.</summary>
public sealed class BusyFleetTests
{
    /// <summary>Everything of the great load, in small.</summary>
    private static readonly FleetLoad Load = FleetLoad.Storm with
    {
        Hosts = 6, GuestsPerHost = 10, MemoryMiB = 512, FunctionOf = 5, SenderOf = 3, Migrations = 3, GuestsWatched = 5,
        ReplugEach = TimeSpan.FromMilliseconds(700), CrashEach = TimeSpan.FromSeconds(6), DownFor = TimeSpan.FromSeconds(3),
    };

    [Fact]
    public void The_same_seed_gives_a_busy_fleet_the_same_trace_and_another_seed_another_one()
    {
        var first = Course(1);

        Assert.Equal(first, Course(1));
        Assert.NotEqual(first.Hash, Course(2).Hash);
        Assert.True(first.Counts is { Migrations: > 5, Plugs: > 5, Unplugs: > 5, Revivals: > 0 } && first.Entries > 1000, $"{first}");
    }

    [Fact]
    public void Frames_of_a_busy_fleet_arrive()
    {
        using var run = new FleetRun(1, Load);
        run.Pass(TimeSpan.FromSeconds(15));

        var (sent, received) = (run.Sum("nic", "transmitted-frames"), run.Sum("nic", "received-frames"));

        Assert.True(received > sent / 2 && sent > 1000, $"{sent} sent, {received} received");
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(65_536)]
    public void An_idle_guest_takes_some_kilobytes_however_large_its_memory_is(long memoryMiB)
    {
        const int guests = 20;
        using var ground = new TourGround(new EmulationOptions(), hosts: 1);
        Start(ground, memoryMiB); // What all guests share is made with the first.

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var n = 0; n < guests; n++)
            Start(ground, memoryMiB);
        ground.Time.Advance(TimeSpan.FromHours(1));
        ground.Run(() => ground.Hosts[0].PingAsync(default)); // The model catches up with what was due meanwhile.
        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / guests;

        // All that was allocated for it, whether it is still held or not.
        Assert.InRange(each, 1, 128 * 1024);
    }

    private static (ulong Hash, long Entries, FleetCounts Counts) Course(ulong seed)
    {
        using var run = new FleetRun(seed, Load);
        run.Pass(TimeSpan.FromSeconds(15));
        return (run.TraceHash, run.TraceEntries, run.Counts);
    }

    private static void Start(TourGround ground, long memoryMiB)
    {
        var guest = ground.Guest(memoryMiB);
        ground.Run(async () =>
        {
            TourGround.Ok(await ground.Hosts[0].DefineAsync(guest, default));
            TourGround.Ok(await ground.Hosts[0].StartAsync(guest.Ref, default));
        });
    }
}
