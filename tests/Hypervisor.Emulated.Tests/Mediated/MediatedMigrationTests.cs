using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Mediated;

/// <summary>Guests with mediated devices move, and outlive the process.</summary>
public sealed class MediatedMigrationTests : EmulatedTest, IDisposable
{
    private const string Type = "A100D-80C";

    private readonly string root = Directory.CreateTempSubdirectory("emulated-mediated-").FullName;

    private protected override string Capture => "gpu-node";

    private protected override EmulationOptions Options => new() { JournalDirectory = Path.Combine(root, "live") };

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public Task A_guest_takes_its_framebuffer_to_an_instance_of_the_target_and_gives_the_sources_back() => OnTestFleet(async fleet =>
    {
        var definition = await Working(fleet);
        DomainOf(fleet.Source, definition).Mediation!.Drivers[0].Upload((512L << 20) + 2048, [1, 2, 3]);
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Assert.Equal((3, 3), (Free(fleet.Source), Free(fleet.Target)));

        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        await SwitchOver(fleet, definition);

        Assert.Equal((4, 3), (Free(fleet.Source), Free(fleet.Target)));
        var arrived = DomainOf(fleet.Target, definition).Mediation!;
        var read = new byte[3];
        arrived.Drivers[0].Download((512L << 20) + 2048, read);
        Assert.Equal([1, 2, 3], read);
        await Pass(fleet, 2);
        var counted = await Counted(fleet.Target, definition, "mediated");
        Assert.Equal((0, 0, 0, 1024L << 20), (counted["control-accesses"], counted["wrong-results"], counted["dma-faults"], counted["framebuffer-bytes"]));
        Assert.True(counted["doorbells"] >= 2 * GuestMediation.SubmissionsPerSecond);
        Assert.InRange((await Counted(fleet.Target, definition, "migration"))["device-state-bytes"], 1026L << 20, 1030L << 20);
    });

    [Fact] // 1 GiB of framebuffer takes about as long as 1 GiB of memory.
    public Task The_framebuffer_in_use_is_a_part_of_what_a_migration_is_expected_to_take() => OnTestFleet(async fleet =>
    {
        var definition = await Working(fleet);

        var load = Ok(await fleet.Source.Migration.ReadLoadAsync(definition.Ref, new CopyIntent(fleet.Target.Host, null, []), Ct));

        Assert.Equal(1024L << 20, load!.PreCopyStateBytes);
        Assert.True(load.StopStateBytes > 0);
    });

    [Fact]
    public Task A_target_without_room_refuses_the_guest_and_the_guest_runs_on() => OnTestFleet(async fleet =>
    {
        var definition = await Working(fleet);
        for (var n = 0; n < 4; n++)
        {
            var other = Labelled(NewDefinition(fleet), (GuestLabels.Mediated, "A100D-4C"));
            Ok(await fleet.Target.DefineAsync(other, Ct));
            Ok(await fleet.Target.StartAsync(other.Ref, Ct));
            if (n == 0)
                Assert.Equal(3, Free(fleet.Target));
        }
        for (var n = 0; n < 3; n++)
        {
            var other = Labelled(NewDefinition(fleet), (GuestLabels.Mediated, Type));
            Ok(await fleet.Target.DefineAsync(other, Ct));
            Ok(await fleet.Target.StartAsync(other.Ref, Ct));
        }

        var refused = (await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct)).Fault;

        Assert.Equal("mediated-unavailable", refused?.Code);
        Assert.Contains(Type, refused!.Detail, StringComparison.Ordinal);
        Assert.Null(await StateOf(fleet.Target, definition.Ref.Vm));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task A_migration_that_is_given_up_gives_the_targets_instance_back() => OnTestFleet(async fleet =>
    {
        var definition = await Working(fleet);
        Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Assert.Equal(3, Free(fleet.Target));

        Ok(await fleet.Target.Migration.DiscardIncomingAsync(definition.Ref, Ct));

        Assert.Equal((3, 4), (Free(fleet.Source), Free(fleet.Target)));
    });

    [Fact]
    public Task A_guest_that_the_target_would_give_another_type_does_not_move() => OnTestFleet(async fleet =>
    {
        var definition = await Working(fleet);
        var other = Labelled(definition, (GuestLabels.Mediated, "A100D-4C"));
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(other, Ct));

        var refused = await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct);

        Refused("mediated-differs", refused);
        Assert.Contains("A100D-4C", refused.Fault!.Detail, StringComparison.Ordinal);
    });

    [Fact]
    public Task A_killed_process_finds_the_instances_on_their_gpus_and_frees_those_of_guests_that_are_off() => OnTestFleet(async fleet =>
    {
        var definition = await Working(fleet);
        var off = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Mediated, "A100D-4C")));
        var second = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Mediated, "A100D-8C")));
        Ok(await fleet.Source.DestroyAsync(off.Ref, Ct));
        var placed = DomainOf(fleet.Source, second).Mediation!.Placements;
        var uuid = DomainOf(fleet.Source, second).Mediation!.Instances[0].Uuid;

        await using var after = Killed();

        var restored = DomainOf(after.Source, second).Mediation!;
        Assert.Equal(placed, restored.Placements);
        Assert.Equal(uuid, restored.Instances[0].Uuid);
        // The first GPU has the first guest, the third the second guest: between them is what the guest had that is off.
        Assert.Equal([1, 0, 1, 0], ModelOf(after.Source).Mediation.Parents.Select(p => p.Instances.Count));
        await Pass(after, 10);
        var counted = await Counted(after.Source, second, "mediated");
        Assert.Equal((5, 0), (counted["control-accesses"], counted["wrong-results"]));
        Assert.Equal(2, Free(after.Source));
        Assert.NotNull(DomainOf(after.Source, definition).Mediation);
    });

    [Fact]
    public Task A_guest_that_moved_before_the_kill_has_its_instance_on_the_target_alone() => OnTestFleet(async fleet =>
    {
        var definition = await Working(fleet);
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy, Ct));
        await SwitchOver(fleet, definition);

        await using var after = Killed();

        Assert.Equal((4, 3), (Free(after.Source), Free(after.Target)));
    });

    private static int Free(IHypervisor host) => ModelOf(host).Mediation.Available(Type);

    private static async Task<Dictionary<string, long>> Counted(IHypervisor host, DomainDefinition definition, string group) =>
        Ok(await host.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct)).Groups.Single(g => g.Name == group).Counters.ToDictionary(c => c.Name, c => c.Value);

    private static async Task SwitchOver(TestFleet fleet, DomainDefinition definition)
    {
        while (Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase != CopyPhase.HoldingBeforeSwitchOver)
            await Pass(fleet, 0.1);
        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
    }

    /// <summary>A guest with an instance on the source, whose programs have allocated 1 GiB of framebuffer.</summary>
    private async Task<DomainDefinition> Working(TestFleet fleet)
    {
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Mediated, Type), (GuestLabels.FramebufferMiB, "1024")));
        await Pass(fleet, 10);
        await Counted(fleet.Source, definition, "mediated");
        return definition;
    }

    /// <summary>The fleet that a new process finds when this one is killed now.</summary>
    private TestFleet Killed()
    {
        var copy = Directory.CreateDirectory(Path.Combine(root, "killed")).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(root, "live")))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return new TestFleet("gpu-node", new EmulationOptions { JournalDirectory = copy }, Time);
    }
}
