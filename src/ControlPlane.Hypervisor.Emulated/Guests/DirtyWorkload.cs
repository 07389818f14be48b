using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>
/// What a guest's programs write: so many pages a second, drawn at random from a working set. Nothing is computed while nobody logs
/// dirty pages; then, each time the log is read, all writes since the last time.
/// </summary>
internal sealed class DirtyWorkload
{
    /// <summary>With this many draws per page of the set, every page is hit but for one in 22,000: the set is dirty as a whole.</summary>
    private const int DrawsThatCoverAll = 10;

    private readonly double pagesPerSecond;
    private readonly long workingSetPages;
    private readonly long firstPage;
    private DateTimeOffset writtenUntil;
    private double carriedWrites;
    private ulong draw;

    public DirtyWorkload(double dirtyMiBPerSecond, double workingSetMiB, GuestMemory memory, ulong seed, DateTimeOffset since)
    {
        const double pagesPerMiB = 1024.0 * 1024 / GuestMemory.PageBytes;
        pagesPerSecond = dirtyMiBPerSecond * pagesPerMiB;
        workingSetPages = Math.Clamp((long)(workingSetMiB * pagesPerMiB), 1, memory.Pages);
        firstPage = (memory.Pages - workingSetPages) / 2;
        writtenUntil = since;
        draw = seed | 1;
    }

    /// <summary>The share of its time that the guest's CPUs are kept from running, 0 to 0.99: auto-converge.</summary>
    public double Throttle { get; set; }

    /// <summary>The guest did not run until now (it was paused).</summary>
    public void SkipTo(DateTimeOffset now) => writtenUntil = now;

    /// <summary>Does all writes until now.</summary>
    public void WriteUntil(DateTimeOffset now, GuestMemory memory)
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
            memory.TouchRange(firstPage, workingSetPages);
            return;
        }
        for (; writes > 0; writes--)
            memory.Touch(firstPage + (long)(Next() % (ulong)workingSetPages));
    }

    /// <summary>xorshift64* (Vigna 2016): three shifts a draw, and the same everywhere.</summary>
    private ulong Next()
    {
        draw ^= draw >> 12;
        draw ^= draw << 25;
        draw ^= draw >> 27;
        return draw * 2685821657736338717UL;
    }
}
