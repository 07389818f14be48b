using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Paging;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Paging;

/// <summary>Page tables, TLB and exits of domains that run on emulated hosts.</summary>
public sealed class DomainPagingTests : EmulatedTest
{
    private static async Task<long> Counter(TestFleet fleet, DomainDefinition definition, string group, string name, bool onTarget = false)
    {
        var host = onTarget ? fleet.Target : fleet.Source;
        var read = Ok(await host.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct));
        return read.Groups.SingleOrDefault(g => g.Name == group)?.Counters.SingleOrDefault(c => c.Name == name).Value ?? 0;
    }

    [Fact]
    public Task Statistics_of_a_running_VM_show_its_TLB_its_walks_and_its_exits() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, NewDefinition(fleet));
        await Pass(fleet, 60);

        var (hits, misses) = (await Counter(fleet, definition, "tlb", "hits"), await Counter(fleet, definition, "tlb", "misses"));
        Assert.True(hits > misses && misses > 0, $"{hits} hits, {misses} misses");
        Assert.Equal(await Counter(fleet, definition, "exits", "ept-violation"), await Counter(fleet, definition, "paging", "ept-violations"));
        var perWalk = (double)await Counter(fleet, definition, "paging", "walk-references") / await Counter(fleet, definition, "paging", "walks");
        Assert.InRange(perWalk, 14, 60); // Violations on the way let a walk begin anew; the kernel's own pages are large.

        await Pass(fleet, 60);
        Assert.True(await Counter(fleet, definition, "tlb", "hits") > hits);
    });

    [Fact]
    public Task A_VM_whose_label_says_shadow_exits_when_its_guest_changes_processes() => OnTestFleet(async fleet =>
    {
        var shadow = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Paging, "shadow")));
        var ept = await Launch(fleet, NewDefinition(fleet));
        await Pass(fleet, 60);

        Assert.True(await Counter(fleet, shadow, "exits", "control-register") > 10);
        Assert.True(await Counter(fleet, shadow, "paging", "hidden-faults") > 10);
        Assert.Equal(0, await Counter(fleet, ept, "exits", "control-register"));
        var perWalk = await Counter(fleet, shadow, "paging", "walk-references") / await Counter(fleet, shadow, "paging", "walks");
        Assert.InRange(perWalk, 3, 8);
    });

    [Theory]
    [InlineData(null, HugepageSize.None, 1)]
    [InlineData(null, HugepageSize.Size2MiB, 2)]
    [InlineData(null, HugepageSize.Size1GiB, 3)]
    [InlineData("none", HugepageSize.Size2MiB, 1)]
    [InlineData("1GiB", HugepageSize.None, 3)]
    [InlineData("2MiB", HugepageSize.None, 2)]
    public Task The_VMM_maps_pages_as_large_as_the_VM_was_given_unless_a_label_says_otherwise(string? label, HugepageSize given, int leafLevel) =>
        OnTestFleet(async fleet =>
        {
            var definition = NewDefinition(fleet) with { MemoryMiB = 2048, Hugepages = given };
            definition = await Launch(fleet, label is null ? definition : Labelled(definition, (GuestLabels.HugePages, label)));
            await Pass(fleet, 60);

            Assert.True(await Counter(fleet, definition, "tlb", "misses") > 0);
            // 32 MiB of 4 KiB pages need 16 leaf tables and more; a few large pages need none.
            var tables = await Counter(fleet, definition, "paging", "table-bytes") / GuestMemory.PageBytes;
            Assert.InRange(tables, leafLevel == 1 ? 16 : 1, leafLevel switch { 1 => 40, 2 => 5, _ => 2 });
        });

    [Fact]
    public Task An_untagged_TLB_serves_fewer_hits() => OnTestFleet(async fleet =>
    {
        var untagged = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Tlb, "untagged")));
        var tagged = await Launch(fleet, NewDefinition(fleet));
        await Pass(fleet, 60);

        Assert.True(await Counter(fleet, untagged, "tlb", "misses") > await Counter(fleet, tagged, "tlb", "misses"));
        Assert.True(await Counter(fleet, untagged, "tlb", "flushes") > await Counter(fleet, tagged, "tlb", "flushes"));
    });

    [Fact]
    public Task A_guest_that_nobody_looks_at_has_no_tables_and_one_that_is_off_has_none_left() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, NewDefinition(fleet) with { MemoryMiB = 4096 });
        await Pass(fleet, 3600);
        Assert.Equal(0, ModelOf(fleet.Source).Memory.TableFrames);
        Assert.Equal(0, DomainOf(fleet.Source, definition).Paging!.GuestTablePages);

        Assert.True(await Counter(fleet, definition, "paging", "table-bytes") > 0);
        Assert.True(ModelOf(fleet.Source).Memory.TableFrames > 0);
        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));

        Assert.Equal(0, ModelOf(fleet.Source).Memory.TableFrames);
    });

    [Theory]
    [InlineData("ept")]
    [InlineData("shadow")]
    public Task A_guests_tables_travel_in_its_memory_and_map_the_same_pages_on_the_target(string paging) => OnTestFleet(async fleet =>
    {
        var definition = Labelled(
            NewDefinition(fleet), (GuestLabels.Paging, paging), (GuestLabels.DirtyMiBPerSecond, "40"), (GuestLabels.WorkingSetMiB, "32"));
        definition = await Launch(fleet, definition with { MemoryMiB = 256 });
        await Pass(fleet, 30);
        var before = await Mapping(fleet, fleet.Source, definition);
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        await Pass(fleet, 5);

        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));

        Assert.Equal(0, ModelOf(fleet.Source).Memory.TableFrames);
        var faults = await Counter(fleet, definition, "paging", "guest-faults", onTarget: true);
        var tablePages = DomainOf(fleet.Target, definition).Paging!.GuestTablePages;
        Assert.Equal(before, await Mapping(fleet, fleet.Target, definition));
        // The guest's kernel had mapped all of that before: it faults no more, and makes no more tables.
        Assert.Equal(faults, await Counter(fleet, definition, "paging", "guest-faults", onTarget: true));
        Assert.Equal(tablePages, DomainOf(fleet.Target, definition).Paging!.GuestTablePages);
    });

    /// <summary>For each page of the program's hot part, the guest page that it is.</summary>
    private static async Task<long[]> Mapping(TestFleet fleet, IHypervisor host, DomainDefinition definition)
    {
        Ok(await host.PingAsync(Ct));
        var domain = DomainOf(host, definition);
        return [.. Enumerable.Range(0, 512).Select(page =>
        {
            Assert.True(domain.Paging!.TryReference(page, PageAccess.Read, out var hostAddress));
            Assert.True(ModelOf(host).Memory.TryFind(hostAddress / GuestMemory.PageBytes, out var owner, out var guestPage));
            Assert.Same(domain.Memory, owner);
            return guestPage;
        })];
    }
}
