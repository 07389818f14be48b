using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Tests.Guests;

public sealed class WorkloadTests
{
    private const long MiB = 1024 * 1024;
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static PageBitmap Dirtied(double rate, double workingSet, double seconds, ulong seed = 1, int steps = 1)
    {
        var memory = new GuestMemory(1024 * MiB);
        var workload = new DirtyWorkload(rate, workingSet, memory, seed, Start);
        memory.StartDirtyLog();
        for (var step = 1; step <= steps; step++)
            workload.WriteUntil(Start.AddSeconds(seconds * step / steps), memory);
        return memory.TakeDirty();
    }

    [Fact]
    public void Random_writes_dirty_the_share_of_the_working_set_that_chance_gives()
    {
        // n draws from w pages leave w * e^(-n/w) of them untouched.
        var dirty = Dirtied(rate: 64, workingSet: 128, seconds: 2);

        var pages = 128 * MiB / GuestMemory.PageBytes;
        Assert.InRange(dirty.Count, (long)(pages * (1 - Math.Exp(-1)) * 0.97), (long)(pages * (1 - Math.Exp(-1)) * 1.03));
    }

    [Fact]
    public void Never_more_than_the_working_set_is_dirty() =>
        Assert.Equal(16 * MiB / GuestMemory.PageBytes, Dirtied(rate: 1000, workingSet: 16, seconds: 10).Count);

    [Fact]
    public void Looking_often_gives_the_same_pages_as_looking_once()
    {
        var (once, often) = (Dirtied(10, 64, 1), Dirtied(10, 64, 1, steps: 10));

        Assert.Equal(once.Count, often.Count);
        Assert.All(Enumerable.Range(0, (int)once.Pages), p => Assert.Equal(once.Contains(p), often.Contains(p)));
    }

    [Fact]
    public void Another_seed_dirties_other_pages()
    {
        var (one, other) = (Dirtied(1, 64, 1, seed: 1), Dirtied(1, 64, 1, seed: 3));

        Assert.Contains(Enumerable.Range(0, (int)one.Pages), p => one.Contains(p) != other.Contains(p));
    }

    [Fact]
    public void Nothing_is_computed_while_nobody_logs()
    {
        var memory = new GuestMemory(1024 * MiB);
        var workload = new DirtyWorkload(1_000_000, 1024, memory, 1, Start);

        workload.WriteUntil(Start.AddDays(10_000), memory);
        memory.StartDirtyLog();

        Assert.Equal(0, memory.DirtyPages);
    }

    [Theory]
    [InlineData(0, 100)]
    [InlineData(32768, 32768)]
    [InlineData(100, 100_000)]
    [InlineData(32767, 2)]
    public void Ranges_and_single_pages_give_the_same_set(long first, long count)
    {
        var (range, single) = (new PageBitmap(200_000), new PageBitmap(200_000));
        range.AddRange(first, count);
        range.AddRange(first, count);
        for (var page = first; page < first + count; page++)
            single.Add(page);

        Assert.Equal((count, count), (range.Count, single.Count));
        Assert.Equal((true, true, false), (range.Contains(first), range.Contains(first + count - 1), range.Contains(first + count)));
    }
}
