using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>
/// A fleet under load, in virtual time: guests write memory and send frames, are migrated, lose and get functions, hosts die and come back, and
/// somebody looks at the statistics each second. All of it follows from one seed.
/// </summary>
internal sealed class FleetRun : IDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly TourGround ground;
    private readonly FleetGuest[] guests;
    private readonly FleetLoad load;
    private readonly FleetHands hands;
    private readonly FleetTrace trace = new();
    private readonly List<Task> work = [];
    private ulong dice;

    public FleetRun(ulong seed, FleetLoad load)
    {
        this.load = load;
        dice = (seed * 2) + 1;
        ground = new TourGround(new EmulationOptions { Seed = seed }, hosts: load.Hosts);
        guests =
        [
            .. Enumerable.Range(0, load.Hosts * load.GuestsPerHost)
                .Select(n => new FleetGuest(n, n / load.GuestsPerHost, load, labels => ground.Guest(load.MemoryMiB, labels))),
        ];
        hands = new FleetHands(ground, trace);
        ground.Run(BeginAsync);
    }

    /// <summary>Stands for everything that was seen since the beginning.</summary>
    public ulong TraceHash => trace.Hash;

    public long TraceEntries => trace.Entries;

    /// <summary>What was done so far.</summary>
    public FleetCounts Counts => hands.Counts;

    /// <summary>Lets time pass over the fleet.</summary>
    public void Pass(TimeSpan time)
    {
        ground.Run(() => Task.Delay(time, ground.Time));
        // Work on the fleet has no end but by a bug.
        foreach (var ended in work.Where(w => w.IsCompleted))
            ended.GetAwaiter().GetResult();
    }

    /// <summary>What the guests and the hosts' NICs have counted of one thing, at this moment.</summary>
    public long Sum(string group, string counter)
    {
        long sum = 0;
        ground.Run(async () =>
        {
            foreach (var guest in guests)
            {
                var read = await ground.Hosts[guest.Host].Statistics.ReadDomainStatisticsAsync(guest.Ref.Vm, default);
                sum += read.Match(
                    counted => counted.Groups.Where(g => g.Name == group).SelectMany(g => g.Counters).Where(c => c.Name == counter).Sum(c => c.Value),
                    _ => 0);
            }
        });
        return sum;
    }

    public void Dispose() => ground.Dispose();

    private async Task BeginAsync()
    {
        await Task.WhenAll(ground.Hosts.Select(async (host, number) =>
        {
            await hands.PrepareHostAsync(number);
            foreach (var guest in guests.Where(g => g.Host == number))
                await hands.StartAsync(guest);
        }));
        work.Add(WatchAsync());
        work.AddRange(Enumerable.Range(0, load.Migrations).Select(_ => MigrateAsync()));
        work.Add(ReplugAsync());
        work.Add(CrashAsync());
    }

    /// <summary>A dashboard: all hosts, and one page of the list of guests.</summary>
    private async Task WatchAsync()
    {
        for (var look = 0; ; look++)
        {
            var first = look / load.LooksPerPage * load.GuestsWatched;
            foreach (var host in ground.Hosts)
            {
                if ((await host.Statistics.ReadHostStatisticsAsync(default)).TryGet(out var counted, out _))
                    trace.Note(counted.At, counted.Groups);
            }
            for (var n = 0; n < load.GuestsWatched; n++)
            {
                var guest = guests[(first + n) % guests.Length];
                if ((await ground.Hosts[guest.Host].Statistics.ReadDomainStatisticsAsync(guest.Ref.Vm, default)).TryGet(out var counted, out _))
                    trace.Note(counted.At, counted.Groups);
            }
            await Task.Delay(load.LookEach, ground.Time);
        }
    }

    private async Task MigrateAsync()
    {
        while (true)
        {
            var (guest, target) = (guests[Draw(guests.Length)], Draw(load.Hosts));
            if (!guest.IsBusy && target != guest.Host)
                await Busily(guest, () => hands.MigrateAsync(guest, target));
            await Task.Delay(TimeSpan.FromMilliseconds(Draw(100) + 1), ground.Time);
        }
    }

    private async Task ReplugAsync()
    {
        while (true)
        {
            await Task.Delay(load.ReplugEach, ground.Time);
            var first = Draw(guests.Length);
            var guest = Enumerable.Range(first, guests.Length).Select(n => guests[n % guests.Length]).FirstOrDefault(g => g.HasFunction && !g.IsBusy);
            if (guest is not null)
                await Busily(guest, () => hands.ReplugAsync(guest));
        }
    }

    private async Task CrashAsync()
    {
        while (true)
        {
            await Task.Delay(load.CrashEach, ground.Time);
            var number = Draw(load.Hosts);
            ground.Crash(ground.Hosts[number]);
            await Task.Delay(load.DownFor, ground.Time);
            ground.Revive(ground.Hosts[number]);
            hands.Counts.Revivals++;
            foreach (var guest in guests.Where(g => g.Host == number).ToArray())
            {
                while (guest.IsBusy)
                    await Task.Delay(Second, ground.Time);
                if (guest.Host == number)
                    await Busily(guest, () => hands.StartAsync(guest));
            }
        }
    }

    private static async Task Busily(FleetGuest guest, Func<Task> work)
    {
        guest.IsBusy = true;
        await work();
        guest.IsBusy = false;
    }

    /// <summary>xorshift64* (Vigna 2016), the same everywhere.</summary>
    private int Draw(int below)
    {
        dice ^= dice >> 12;
        dice ^= dice << 25;
        dice ^= dice >> 27;
        return (int)((dice * 2685821657736338717UL >> 33) % (ulong)below);
    }
}
