using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Tests.Mediated;

/// <summary>A GPU cut into types with instance limits, as a part of how VMs run on a host with four A100.</summary>
public sealed class MediatedGuestTests : EmulatedTest
{
    private const string Type = "A100D-40C";

    private HostProfile machine = Captures.Named("gpu-node");

    protected override ISpecificationFleet NewFleet() => new TestFleet(machine, Options, Time);

    [Fact]
    public Task A_vm_gets_an_instance_when_it_starts_and_gives_it_back_when_it_is_off() => OnTestFleet(async fleet =>
    {
        var tables = ModelOf(fleet.Source).Memory.TableFrames;
        var definition = await Launch(fleet, Asking(fleet, Type));
        var mediation = ModelOf(fleet.Source).Mediation;
        var instance = Assert.Single(DomainOf(fleet.Source, definition).Mediation!.Instances);

        Assert.Equal(("mediated", "nvidia-697", 7), (instance.Name, instance.Type.Id, mediation.Available(Type)));
        Assert.True(ModelOf(fleet.Source).Memory.TableFrames > tables);

        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));
        Assert.Equal(8, mediation.Available(Type));
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
        Assert.True(Ok(await fleet.Source.ShutdownAsync(definition.Ref, Patience, Ct)));
        Assert.Equal((8, 2L, 2L), (mediation.Available(Type), mediation.Created, mediation.Removed));
        Assert.Equal(tables, ModelOf(fleet.Source).Memory.TableFrames);
    });

    [Fact]
    public Task Instances_of_one_type_fill_a_gpu_before_the_next_is_begun() => OnTestFleet(async fleet =>
    {
        for (var n = 0; n < 3; n++)
            await Launch(fleet, Asking(fleet, Type));
        await Launch(fleet, Labelled(NewDefinition(fleet), ("emulator.mediated.left", "A100D-4C"), ("emulator.mediated.right", "nvidia-692")));

        Assert.Equal([2, 1, 2, 0], ModelOf(fleet.Source).Mediation.Parents.Select(p => p.Instances.Count));
    });

    [Fact]
    public Task A_start_that_finds_no_room_fails_and_names_the_type_and_what_is_available() => OnTestFleet(async fleet =>
    {
        for (var n = 0; n < 8; n++)
            await Launch(fleet, Asking(fleet, Type));
        var one = Labelled(NewDefinition(fleet), ("emulator.mediated.a", "A100D-4C"), ("emulator.mediated.b", Type));
        Ok(await fleet.Source.DefineAsync(one, Ct));

        var refused = (await fleet.Source.StartAsync(one.Ref, Ct)).Fault;

        Assert.Equal("mediated-unavailable", refused?.Code);
        Assert.Contains("A100D-4C", refused!.Detail, StringComparison.Ordinal);
        Assert.All(ModelOf(fleet.Source).Mediation.Parents, p => Assert.Contains($"{p.Address} 0 (serves 2 {Type})", refused.Detail, StringComparison.Ordinal));
        Assert.Contains("host hv2 80", refused.Detail, StringComparison.Ordinal);
        Assert.Equal(DomainState.Off, await StateOf(fleet.Source, one.Ref.Vm));
        Assert.Equal(8, ModelOf(fleet.Source).Mediation.Parents.Sum(p => p.Instances.Count));
    });

    [Fact]
    public Task What_a_failed_start_had_got_already_it_gives_back() => OnTestFleet(async fleet =>
    {
        var one = Labelled(NewDefinition(fleet), ("emulator.mediated.a", "A100D-4C"), ("emulator.mediated.b", "A100D-5C"));
        Ok(await fleet.Source.DefineAsync(one, Ct));

        Refused("mediated-unavailable", await fleet.Source.StartAsync(one.Ref, Ct));

        Assert.Equal((80, 8), (ModelOf(fleet.Source).Mediation.Available("A100D-4C"), ModelOf(fleet.Source).Mediation.Available(Type)));
    });

    [Fact]
    public Task A_gpu_with_instances_is_not_passed_through_and_one_passed_through_is_not_cut() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, Asking(fleet, Type));
        var mediation = ModelOf(fleet.Source).Mediation;
        var cut = Assert.Single(DomainOf(fleet.Source, definition).Mediation!.Instances).Placement.Parent;
        var whole = mediation.Parents.Select(p => p.Address).First(a => a != cut);

        var refused = await fleet.Source.PrepareDeviceAsync(new DeviceClaim(cut, First), NewVm(), DeviceSettings.None, Ct);
        Refused("mediated-in-use", refused);
        Assert.Contains(Type, refused.Fault!.Detail, StringComparison.Ordinal);

        Ok(await fleet.Source.PrepareDeviceAsync(new DeviceClaim(whole, First), NewVm(), DeviceSettings.None, Ct));
        Assert.Equal(5, mediation.Available(Type));
        var proof = Ok(await fleet.Source.CleanDeviceAsync(new DeviceClaim(whole, First), Ct));
        Assert.Null(proof.Failing());
        Assert.Equal(7, mediation.Available(Type));

        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));
        Ok(await fleet.Source.PrepareDeviceAsync(new DeviceClaim(cut, First), NewVm(), DeviceSettings.None, Ct));
    });

    [Fact]
    public Task Cleaning_that_is_repeated_resets_nothing_under_those_who_have_a_part_since() => OnTestFleet(async fleet =>
    {
        var gpu = ModelOf(fleet.Source).Mediation.Parents.First().Address;
        var claim = new DeviceClaim(gpu, First);
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), DeviceSettings.None, Ct));
        Assert.Null(Ok(await fleet.Source.CleanDeviceAsync(claim, Ct)).Failing());
        await Launch(fleet, Asking(fleet, Type));
        var resets = ModelOf(fleet.Source).Tree.Find(gpu)!.Resets;

        Assert.Null(Ok(await fleet.Source.CleanDeviceAsync(claim, Ct)).Failing());
        Refused("mediated-in-use", await fleet.Source.CleanDeviceAsync(claim with { Generation = new Generation(2) }, Ct));

        Assert.Equal(resets, ModelOf(fleet.Source).Tree.Find(gpu)!.Resets);
    });

    [Fact]
    public Task A_device_that_the_host_lives_on_is_not_cut()
    {
        machine = ProfileReader.Read(ModelHosts.Yaml("a100-pcie-80gb", ", hostCritical: true")).Value;
        return OnTestFleet(async fleet =>
        {
            var definition = Asking(fleet, Type);
            Ok(await fleet.Source.DefineAsync(definition, Ct));

            Refused("mediated-unavailable", await fleet.Source.StartAsync(definition.Ref, Ct));
        });
    }

    [Fact]
    public Task Setting_a_device_up_leaves_the_guest_and_working_with_it_does_not() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, Asking(fleet, Type));
        await Pass(fleet, 10);
        await Counted(fleet, definition);
        var (exits, before) = (DomainOf(fleet.Source, definition).Exits[ExitReason.Mmio], await Counted(fleet, definition));
        await Pass(fleet, 4);

        var after = await Counted(fleet, definition);

        Assert.Equal((5, 5), (exits, before["control-accesses"]));
        Assert.Equal((5, 5), (DomainOf(fleet.Source, definition).Exits[ExitReason.Mmio], after["control-accesses"]));
        const int submissions = 4 * GuestMediation.SubmissionsPerSecond;
        Assert.Equal(submissions, after["doorbells"] - before["doorbells"]);
        Assert.Equal(submissions * 4, after["commands"] - before["commands"]);
        Assert.Equal(submissions * 1024, after["uploaded-bytes"] - before["uploaded-bytes"]);
        Assert.Equal(submissions, after["interrupts"] - before["interrupts"]);
        Assert.Equal((0, 0, 0), (after["wrong-results"], after["dma-faults"], after["blocked-commands"]));
        Assert.Equal(256L << 20, after["framebuffer-bytes"]);
    });

    [Fact]
    public Task A_paused_guest_works_with_no_device() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, Asking(fleet, Type));
        await Pass(fleet, 10);
        Ok(await fleet.Source.PauseAsync(definition.Ref, Ct));
        var before = await Counted(fleet, definition);
        await Pass(fleet, 10);

        Assert.Equal(before["doorbells"], (await Counted(fleet, definition))["doorbells"]);
        Ok(await fleet.Source.ResumeAsync(definition.Ref, Ct));
        await Pass(fleet, 1);
        Assert.Equal(before["doorbells"] + GuestMediation.SubmissionsPerSecond, (await Counted(fleet, definition))["doorbells"]);
    });

    [Fact]
    public Task A_guest_that_boots_again_sets_its_device_up_again() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, Asking(fleet, Type, framebufferMiB: 1024));
        await Pass(fleet, 10);
        Assert.Equal(1024L << 20, (await Counted(fleet, definition))["framebuffer-bytes"]);

        Ok(await fleet.Source.RebootAsync(definition.Ref with { Epoch = new Generation(2) }, Ct));
        Assert.Equal(0, (await Counted(fleet, definition))["framebuffer-bytes"]);
        await Pass(fleet, 10);
        var after = await Counted(fleet, definition);

        Assert.Equal((1024L << 20, 10, 0), (after["framebuffer-bytes"], after["control-accesses"], after["wrong-results"]));
        Assert.Equal(7, ModelOf(fleet.Source).Mediation.Available(Type));
    });

    [Fact]
    public Task A_host_that_loses_power_has_all_its_instances_free() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, Asking(fleet, Type));
        await fleet.CrashAsync(fleet.Source);
        await fleet.ReviveAsync(fleet.Source);

        Assert.Equal(8, ModelOf(fleet.Source).Mediation.Available(Type));
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
        Assert.Equal(7, ModelOf(fleet.Source).Mediation.Available(Type));
    });

    [Fact]
    public Task The_host_counts_devices_instances_and_framebuffer() => OnTestFleet(async fleet =>
    {
        await Launch(fleet, Asking(fleet, Type));

        var counted = Ok(await fleet.Source.Statistics.ReadHostStatisticsAsync(Ct)).Groups.Single(g => g.Name == "mediated").Counters.ToDictionary(c => c.Name, c => c.Value);

        Assert.Equal((4, 1, 4 * 81920, 40960), (counted["devices"], counted["instances"], counted["framebuffer-mib"], counted["framebuffer-given-mib"]));
    });

    private DomainDefinition Asking(TestFleet fleet, string type, int framebufferMiB = 256) =>
        Labelled(NewDefinition(fleet), (GuestLabels.Mediated, type), (GuestLabels.FramebufferMiB, $"{framebufferMiB}"));

    private static async Task<Dictionary<string, long>> Counted(TestFleet fleet, DomainDefinition definition) =>
        Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct)).Groups.Single(g => g.Name == "mediated").Counters.ToDictionary(c => c.Name, c => c.Value);
}
