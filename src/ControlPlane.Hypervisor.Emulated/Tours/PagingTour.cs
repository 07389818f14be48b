using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>What a TLB miss costs with each kind of table, and what the same programs cost with extended and with shadow tables.</summary>
internal sealed class PagingTour : ITour
{
    public string Name => "paging";

    public string Summary => "A guest's addresses through extended or shadow page tables: walks, exits, memory for tables";

    public void Run(TextWriter output)
    {
        output.WriteLine("What one TLB miss costs, in references to tables:");
        output.WriteLine();
        var misses = new TourTable("tables walked", "guest's page", "VMM's page", "references");
        misses.Add("shadow, 4 levels", "4 KiB", "4 KiB", Small(new PagingRun(PageFormat.FourLevel, null)));
        misses.Add("4 levels in 4 levels", "4 KiB", "4 KiB", Small(new PagingRun(PageFormat.FourLevel, PageFormat.Ept)));
        misses.Add("4 levels in 4 levels", "4 KiB", "2 MiB", Small(new PagingRun(PageFormat.FourLevel, PageFormat.Ept, 2)));
        misses.Add("4 levels in 4 levels", "4 KiB", "1 GiB", Small(new PagingRun(PageFormat.FourLevel, PageFormat.Ept, 3)));
        misses.Add("4 levels in 4 levels", "1 GiB", "1 GiB", Large(new PagingRun(PageFormat.FourLevel, PageFormat.Ept, 3)));
        misses.Add("shadow, 3 levels", "4 KiB", "4 KiB", Small(new PagingRun(PageFormat.ThreeLevel, null)));
        misses.Add("3 levels in 3 levels", "4 KiB", "4 KiB", Small(new PagingRun(PageFormat.ThreeLevel, PageFormat.ThreeLevelEpt)));
        misses.WriteTo(output);

        output.WriteLine("The same programs with both, on a CPU whose TLB has 1,536 entries tagged by VM:");
        output.WriteLine();
        var programs = new TourTable("program", "tables", "exits", "TLB misses", "references", "VMM's tables");
        foreach (var (name, work) in Workloads)
        {
            foreach (var (kind, format) in new[] { ("extended", PageFormat.Ept), ("shadow", null) })
            {
                var run = new PagingRun(PageFormat.FourLevel, format);
                work(run);
                programs.Add(name, kind, run.Exits.Total, run.Cpu.Tlb.Misses, run.Method.Counters.References, $"{run.TableKiB:#,0} KiB");
            }
        }
        programs.WriteTo(output);
        output.WriteLine("Exits are what shadow tables cost, references what extended tables cost.");
    }

    /// <summary>4,000 switches between 32 processes; 4,000 pages mapped and unmapped; 200,000 reads over 64 MiB.</summary>
    public static IReadOnlyList<(string Name, Action<PagingRun> Work)> Workloads { get; } =
    [
        ("switch-heavy", run => run.SwitchHeavy()),
        ("map-heavy", run => run.MapHeavy()),
        ("walk-heavy", run => run.WalkHeavy()),
    ];

    private static long Small(PagingRun run) => run.ReferencesOfMiss(run.MapOnePage());

    private static long Large(PagingRun run) => run.ReferencesOfMiss(run.KernelBase);
}
