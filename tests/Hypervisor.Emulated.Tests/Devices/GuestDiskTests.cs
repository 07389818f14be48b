using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Statistics;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Devices;

/// <summary>Disks of VMs on the storage of a fleet: boot, use, migration, deletion.</summary>
public sealed class GuestDiskTests : EmulatedTest
{
    [Fact]
    public Task The_firmware_reads_the_boot_sector_of_the_first_disk_through_the_translation() => OnTestFleet(async fleet =>
    {
        await Launch(fleet, WithDisks(fleet)); // So that the second guest's cylinders do not begin at 0.
        var definition = await Launch(fleet, WithDisks(fleet));
        var sector = new byte[DiskGeometry.SectorBytes];
        DomainOf(fleet.Source, definition).Memory!.Read(GuestDisks.BootSectorAt, sector);

        Assert.Equal(SharedStorage.BootSectorOf(definition.Image), sector);
        Assert.True(ModelOf(fleet.Source).Peripherals.Storage.Find(definition.Ref.Vm, "root")!.FirstCylinder > 0);
        Assert.Equal((1, 1), (Value(await ReadAsync(fleet.Source, definition), "disk", "reads"), Value(await ReadAsync(fleet.Source, definition), "disk", "kicks")));
    });

    [Fact]
    public Task A_guest_whose_label_says_so_reads_and_writes_while_somebody_looks() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, WithDisks(fleet, (GuestLabels.DiskIo, "1000")));
        await Pass(fleet, 5);
        Assert.Equal(1, Value(await ReadAsync(fleet.Source, definition), "disk", "reads"));
        await Pass(fleet, 2);
        var groups = await ReadAsync(fleet.Source, definition);

        // Two seconds at a thousand a second, and the boot sector.
        var requests = Value(groups, "disk", "reads") + Value(groups, "disk", "writes") + Value(groups, "disk", "flushes");
        Assert.InRange(requests, 1990, 2012);
        Assert.True(Value(groups, "disk", "writes") > 500);
        // Ten at a time: a kick and an interrupt for each burst, and not for each request.
        Assert.InRange(Value(groups, "disk", "kicks"), 199, 202);
        Assert.InRange(Value(groups, "disk", "interrupts"), 199, 202);
        Assert.True(Value(groups, "disk", "exits") >= Value(groups, "disk", "kicks") + Value(groups, "disk", "interrupts"));
        Assert.Equal((0, 0), (Value(groups, "disk", "errors"), Value(groups, "disk", "wrong-blocks")));
        var host = Ok(await fleet.Source.Statistics.ReadHostStatisticsAsync(Ct)).Groups;
        Assert.Equal(Value(groups, "disk", "written-bytes"), Value(host, "storage", "written-bytes"));
    });

    [Fact]
    public Task A_guest_finds_its_data_where_it_has_moved_to_and_nothing_under_way_is_lost() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, WithDisks(fleet, (GuestLabels.DiskIo, "2000")));
        await Pass(fleet, 5);
        await ReadAsync(fleet.Source, definition);
        await Pass(fleet, 2);
        var before = Value(await ReadAsync(fleet.Source, definition), "disk", "writes");

        await Move(fleet, definition);
        await Pass(fleet, 2);
        var after = await ReadAsync(fleet.Target, definition);

        Assert.True(before > 1000);
        Assert.True(Value(after, "disk", "reads") > 1000);
        Assert.Equal((0, 0), (Value(after, "disk", "errors"), Value(after, "disk", "wrong-blocks")));
        Assert.Equal(fleet.Target.Host, ModelOf(fleet.Source).Peripherals.Storage.Find(definition.Ref.Vm, "root")!.Writer);
    });

    [Fact]
    public Task A_write_that_the_source_still_had_under_way_is_refused_and_the_target_does_it_again() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, WithDisks(fleet));
        await Pass(fleet, 5);
        var (incoming, leaving) = (Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct)), DomainOf(fleet.Source, definition));
        var arriving = DomainOf(fleet.Target, definition);
        using (ModelOf(fleet.Source).Clock.Enter())
        {
            leaving.Peripherals!.Disks.DriverOf(0).TryWrite(64, Block(0x77));
            // The storage answers in 80 us; the guest has moved before.
            leaving.Memory!.CopyTo(arriving.Memory!, Memory.PageBitmap.All(leaving.Memory.Pages));
            GuestMachine.Continue(arriving, leaving);
            arriving.State = DomainState.Running;
            arriving.Peripherals!.TakeOver(leaving.Peripherals);
            GuestPower.Off(ModelOf(fleet.Source), leaving);
        }
        await Pass(fleet, 1);

        var refused = Value(Ok(await fleet.Source.Statistics.ReadHostStatisticsAsync(Ct)).Groups, "storage", "refused-writes");
        var counters = arriving.Peripherals.Disks.Counters;
        Assert.Equal((1, 1, 1), (refused, counters.RepeatedRequests, counters.Writes));
        Assert.Equal(0, arriving.Peripherals.Disks.DriverOf(0).Pending);
        var found = new byte[4096];
        ModelOf(fleet.Target).Peripherals.Storage.Find(definition.Ref.Vm, "root")!.Read(64, found);
        Assert.Equal(Block(0x77), found);
        Assert.NotNull(incoming);
    });

    [Fact]
    public Task A_migration_that_is_given_up_leaves_the_disks_to_the_source() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, WithDisks(fleet, (GuestLabels.DiskIo, "1000")));
        await Pass(fleet, 5);
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        await Pass(fleet, 0.02);
        Ok(await fleet.Source.Migration.AbortCopyAsync(definition.Ref, Ct));
        await ReadAsync(fleet.Source, definition);
        await Pass(fleet, 2);

        var groups = await ReadAsync(fleet.Source, definition);
        Assert.True(Value(groups, "disk", "writes") > 500);
        Assert.Equal((0, 0), (Value(groups, "disk", "errors"), Value(groups, "disk", "wrong-blocks")));
    });

    [Fact]
    public Task Disks_of_a_deleted_vm_are_given_back_and_those_of_one_that_lives_elsewhere_are_kept() => OnTestFleet(async fleet =>
    {
        var definition = WithDisks(fleet);
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        var storage = ModelOf(fleet.Source).Peripherals.Storage;

        Ok(await fleet.Source.UndefineAsync(definition.Ref, DiskFate.Keep, Ct));
        Assert.NotNull(storage.Find(definition.Ref.Vm, "root"));
        Assert.Equal(2048 * 12, storage.AllocatedCylinders);

        Ok(await fleet.Source.UndefineAsync(definition.Ref, DiskFate.Delete, Ct));
        Assert.Null(storage.Find(definition.Ref.Vm, "root"));
        Assert.Equal((0, 0), (storage.AllocatedCylinders, storage.HeldBytes));
    });

    [Fact]
    public Task A_definition_that_drops_a_disk_gives_it_back_and_one_that_resizes_it_is_refused() => OnTestFleet(async fleet =>
    {
        var definition = WithDisks(fleet);
        Ok(await fleet.Source.DefineAsync(definition, Ct));

        Refused("disk-differs", await fleet.Source.DefineAsync(definition with { Disks = [new DiskSpec("root", 20), definition.Disks[1]] }, Ct));
        Ok(await fleet.Source.DefineAsync(definition with { Disks = [definition.Disks[0]] }, Ct));

        Assert.Equal(2048 * 10, ModelOf(fleet.Source).Peripherals.Storage.AllocatedCylinders);
    });

    [Fact] // 4 GiB of memory and 100 GiB of disk.
    public Task An_idle_guest_with_a_large_disk_holds_less_than_a_quarter_of_a_mebibyte() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, NewDefinition(fleet) with { MemoryMiB = 4096, Disks = [new DiskSpec("root", 100)] });
        await Pass(fleet, 60);

        var held = Value(await ReadAsync(fleet.Source, definition), "memory", "held-bytes") + ModelOf(fleet.Source).Peripherals.Storage.HeldBytes;
        Assert.InRange(held, 512, 256 * 1024);
    });

    private DomainDefinition WithDisks(TestFleet fleet, params (string Name, string Value)[] labels) =>
        Labelled(NewDefinition(fleet) with { Disks = [new DiskSpec("root", 10), new DiskSpec("data", 2)] }, labels);

    private static byte[] Block(byte value) => [.. Enumerable.Repeat(value, 4096)];

    private static async Task Move(TestFleet fleet, DomainDefinition definition)
    {
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        while (Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase != CopyPhase.HoldingBeforeSwitchOver)
            await Pass(fleet, 0.05);
        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
    }

    private static async Task<IReadOnlyList<CounterGroup>> ReadAsync(IHypervisor host, DomainDefinition definition) =>
        Ok(await host.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct)).Groups;

    private static long Value(IReadOnlyList<CounterGroup> groups, string group, string counter) =>
        groups.Single(g => g.Name == group).Counters.Single(c => c.Name == counter).Value;
}
