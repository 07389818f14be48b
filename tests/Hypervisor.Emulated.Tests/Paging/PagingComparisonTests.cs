using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Paging;
using ControlPlane.Hypervisor.Emulated.Tours;

namespace ControlPlane.Hypervisor.Emulated.Tests.Paging;

/// <summary>The same guest programs over extended and over shadow tables.</summary>
public sealed class PagingComparisonTests
{
    private static (PagingRun Ept, PagingRun Shadow) Both(Action<PagingRun> work)
    {
        var (ept, shadow) = (new PagingRun(PageFormat.FourLevel, PageFormat.Ept), new PagingRun(PageFormat.FourLevel, null));
        work(ept);
        work(shadow);
        return (ept, shadow);
    }

    [Fact]
    public void Switching_processes_costs_exits_and_tables_with_shadow_tables_only()
    {
        var (ept, shadow) = Both(run => run.SwitchHeavy(switches: 1000, programs: 32));

        Assert.InRange(shadow.Exits[ExitReason.ControlRegister], 1000, 1100);
        Assert.Equal(0, ept.Exits[ExitReason.ControlRegister]);
        // Each process has shadow tables of its own; extended tables are the VM's.
        Assert.True(shadow.TableKiB > 32 * 4 * 4, $"{shadow.TableKiB} KiB");
        Assert.True(ept.TableKiB < shadow.TableKiB / 10, $"{ept.TableKiB} KiB");
        Assert.True(ept.Exits.Total < shadow.Exits.Total / 3, $"{ept.Exits.Total} and {shadow.Exits.Total} exits");
    }

    [Fact]
    public void Mapping_and_unmapping_costs_exits_each_time_with_shadow_tables_only()
    {
        var (ept, shadow) = Both(run => run.MapHeavy(maps: 1000));

        // The guest's own fault, its table written twice, the hidden fault, and INVLPG.
        Assert.InRange(shadow.Exits.Total, 5 * 1000, 5 * 1000 + 100);
        Assert.InRange(ept.Exits.Total, 1, 200);
    }

    [Fact]
    public void Reading_all_over_memory_costs_longer_walks_with_extended_tables()
    {
        var (ept, shadow) = Both(run => run.WalkHeavy(reads: 50_000, pages: 8192));

        Assert.True(ept.Method.Counters.References > 3 * shadow.Method.Counters.References);
        // Both see each page once for the first time; then neither exits any more.
        Assert.InRange(ept.Exits.Total, 8000, 9000);
        Assert.True(shadow.Exits.Total > ept.Exits.Total);
    }

    [Fact]
    public void Large_pages_of_the_VMM_make_walks_shorter_tables_smaller_and_exits_fewer()
    {
        var runs = new[] { 1, 2, 3 }.Select(leafLevel => new PagingRun(PageFormat.FourLevel, PageFormat.Ept, leafLevel)).ToArray();
        foreach (var run in runs)
            run.WalkHeavy(reads: 20_000, pages: 8192);

        for (var larger = 1; larger < runs.Length; larger++)
        {
            Assert.True(runs[larger].Method.Counters.References < runs[larger - 1].Method.Counters.References);
            Assert.True(runs[larger].TableKiB < runs[larger - 1].TableKiB);
            Assert.True(runs[larger].Exits.Total < runs[larger - 1].Exits.Total);
        }
    }
}
