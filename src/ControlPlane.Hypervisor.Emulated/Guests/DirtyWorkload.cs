using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>
/// What a guest's programs read and write: so many pages a second, drawn at random from a working set. Nothing is computed while nobody looks.
/// When the dirty log is read, all writes since the last time are done; when statistics are read, a sample of the latest references.
/// </summary>
/// <remarks>
/// Of the writes that a log needs, a fixed number a second go address by address through TLB and tables, so that the counters show what a guest of
/// this kind does to them; the others take the short way of <see cref="GuestPaging.Write"/>. Which ones depends on the writes' numbers alone, not on
/// who looks when.
/// </remarks>
internal sealed class DirtyWorkload
{
    /// <summary>With this many draws per page of the set, every page is hit but for one in 22,000: the set is dirty as a whole.</summary>
    private const int DrawsThatCoverAll = 10;

    /// <summary>References a second that are translated one by one.</summary>
    private const long SampledPerSecond = 64;

    /// <summary>As many at most when statistics are read after a long time: a look shows what the guest does now, and costs some microseconds.</summary>
    private const long MaxSampled = 256;

    /// <summary>While no log is kept, references stay in this part of the working set, and mostly in the next: programs have a hot part.</summary>
    private const long WarmPages = 8192;

    private const long HotPages = 512;

    private readonly GuestMemory memory;
    private readonly GuestPaging paging;
    private readonly double pagesPerSecond;
    private readonly long workingSetPages;
    private readonly long writesPerSample;
    private DateTimeOffset writtenUntil;
    private DateTimeOffset sampledUntil;
    private double carriedWrites;
    private long untilSample;
    private ulong draw;
    private ulong sampleDraw;

    public DirtyWorkload(double dirtyMiBPerSecond, double workingSetMiB, GuestMemory memory, GuestPaging paging, ulong seed, DateTimeOffset since)
    {
        const double pagesPerMiB = 1024.0 * 1024 / GuestMemory.PageBytes;
        (this.memory, this.paging) = (memory, paging);
        pagesPerSecond = dirtyMiBPerSecond * pagesPerMiB;
        workingSetPages = Math.Clamp((long)(workingSetMiB * pagesPerMiB), 1, memory.Pages);
        paging.SetWorkingSet((memory.Pages - workingSetPages) / 2, workingSetPages);
        untilSample = writesPerSample = Math.Max(1, (long)(pagesPerSecond / SampledPerSecond));
        (writtenUntil, sampledUntil) = (since, since);
        draw = seed | 1;
        sampleDraw = ~seed | 1;
    }

    /// <summary>The share of its time that the guest's CPUs are kept from running, 0 to 0.99: auto-converge.</summary>
    public double Throttle { get; set; }

    /// <summary>The guest did not run until now (it was paused).</summary>
    public void SkipTo(DateTimeOffset now) => (writtenUntil, sampledUntil) = (now, now);

    /// <summary>Does all writes until now.</summary>
    public void WriteUntil(DateTimeOffset now)
    {
        if (now <= writtenUntil)
            return;
        carriedWrites += pagesPerSecond * (1 - Throttle) * (now - writtenUntil).TotalSeconds;
        writtenUntil = now;
        var writes = (long)carriedWrites;
        carriedWrites -= writes;
        if (!memory.IsLogging)
            return;
        if (writes >= workingSetPages * DrawsThatCoverAll)
        {
            for (var page = 0L; page < workingSetPages; page++)
                paging.Write(page);
            return;
        }
        for (; writes > 0; writes--)
        {
            var page = (long)(Next(ref draw) % (ulong)workingSetPages);
            if (--untilSample > 0)
            {
                paging.Write(page);
                continue;
            }
            untilSample = writesPerSample;
            paging.TryReference(page, PageAccess.Write, out _);
        }
    }

    /// <summary>Somebody reads the counters: does a sample of what the guest did until now. While writes are logged, their samples are enough.</summary>
    public void SampleUntil(DateTimeOffset now)
    {
        var due = (long)((now - sampledUntil).TotalSeconds * SampledPerSecond);
        if (due <= 0)
            return;
        sampledUntil = now;
        for (var left = memory.IsLogging ? 0 : Math.Min(due, MaxSampled); left > 0; left--)
        {
            var drawn = Next(ref sampleDraw);
            var part = Math.Min(workingSetPages, (drawn & 3) == 0 ? WarmPages : HotPages);
            var access = (drawn & 12) == 0 ? PageAccess.Write : PageAccess.Read;
            paging.TryReference((long)((drawn >> 8) % (ulong)part), access, out _);
        }
    }

    /// <summary>What is written when nothing throttles the guest.</summary>
    public double BytesPerSecond => pagesPerSecond * GuestMemory.PageBytes;

    public long WorkingSetBytes => workingSetPages * GuestMemory.PageBytes;

    /// <summary>
    /// Does all writes until now on a memory of which pages are still elsewhere: a write to one waits until it was fetched, and the guest
    /// gets that much less done.
    /// </summary>
    /// <returns>The pages that were fetched; they are missing no more.</returns>
    public long RunUntil(DateTimeOffset now, PageBitmap missing, TimeSpan fetching)
    {
        if (now <= writtenUntil)
            return 0;
        carriedWrites += pagesPerSecond * (now - writtenUntil).TotalSeconds;
        writtenUntil = now;
        var waits = pagesPerSecond * fetching.TotalSeconds;
        var firstPage = (memory.Pages - workingSetPages) / 2;
        long fetched = 0;
        while (carriedWrites >= 1)
        {
            carriedWrites--;
            if (!missing.Remove(firstPage + (long)(Next(ref draw) % (ulong)workingSetPages)))
                continue;
            fetched++;
            carriedWrites -= waits;
        }
        return fetched;
    }

    /// <summary>xorshift64* (Vigna 2016): three shifts a draw, and the same everywhere.</summary>
    private static ulong Next(ref ulong state)
    {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return state * 2685821657736338717UL;
    }
}
