using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Hypervisor.Emulated.Tests.Hosts;

/// <summary>PCI-SIG Multi-Root I/O Virtualization 1.0: hosts of one chassis hand a function to each other.</summary>
public sealed class MultiRootTests : EmulatedTest, IDisposable
{
    private const string Slot = "nic0";

    /// <summary>A physical function with virtual ones, alone in its IOMMU group.</summary>
    private static readonly PciAddress Shared = PciAddress.Parse("0000:04:00.0");
    private static readonly (string, string)[] InOneChassis = [(HostLabels.ChassisName, "c1"), ($"{HostLabels.MultiRoot}.{Shared}", Slot)];

    private readonly string root = Directory.CreateTempSubdirectory("emulated-chassis-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    private protected override EmulationOptions Options => base.Options with { JournalDirectory = Path.Combine(root, "live") };

    protected override ISpecificationFleet NewFleet() => On(Options.JournalDirectory!);

    [Fact]
    public Task The_function_is_in_the_hierarchy_of_one_host_at_a_time() => OnTestFleet(async fleet =>
    {
        Assert.Equal((true, false), await Present(fleet));
        Assert.Empty(await MadeBy(fleet.Target));

        await HandOver(fleet);

        Assert.Equal((false, true), await Present(fleet));
        Assert.Empty(await MadeBy(fleet.Source));
        Assert.NotEmpty(await MadeBy(fleet.Target));
        Assert.Equal(("igb", 1), (FunctionAt(fleet.Target).Driver, FunctionAt(fleet.Target).Resets));
        Assert.Equal((0, 1, 0), await Moves(fleet.Source));
        Assert.Equal((1, 0, 1), await Moves(fleet.Target));
    });

    [Fact]
    public Task Both_hosts_tell_that_their_functions_changed_and_in_between_it_is_on_neither() => OnTestFleet(async fleet =>
    {
        var (left, came) = (Told(fleet.Source), Told(fleet.Target));
        fleet.SetLabel(fleet.Target, HostLabels.Claim, Slot);

        await Pass(fleet, 0.05);
        Assert.Equal((false, false), await Present(fleet));
        await Pass(fleet, 1);

        Assert.Equal((false, true), await Present(fleet));
        Assert.Equal(HostTimings.Realistic.Bind + HostTimings.Realistic.Reset, await came - await left);
    });

    [Theory]
    [InlineData(true, "in-guest")]
    [InlineData(false, "prepared")]
    public Task Nobody_is_deprived_of_it_and_it_goes_over_once_it_is_clean(bool runs, string reason) => OnTestFleet(async fleet =>
    {
        var claim = new DeviceClaim((await MadeBy(fleet.Source))[0].Address, First);
        var definition = NewDefinition(fleet, devices: Device(claim.Address) with { Settings = DeviceSettings.None });
        Ok(await fleet.Source.PrepareDeviceAsync(claim, definition.Ref.Vm, DeviceSettings.None, Ct));
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        if (runs)
            Ok(await fleet.Source.StartAsync(definition.Ref, Ct));

        await HandOver(fleet);
        await HandOver(fleet);

        Assert.Equal((true, false), await Present(fleet));
        Assert.Equal(1, (await Counted(fleet.Target))[$"waits-{reason}"]);
        Assert.Equal(1, (await Counted(fleet.Target))["refusals"]); // One reason is one refusal, however often it is met.
        var missing = await fleet.Target.PrepareDeviceAsync(new DeviceClaim(Shared, First), NewVm(), DeviceSettings.None, Ct);
        Refused("pci-device-not-found", missing);
        Assert.Contains($"slot '{Slot}' of chassis 'c1', and in the hierarchy of host hv1", missing.Fault!.Detail, StringComparison.Ordinal);
        Assert.Contains($"{definition.Ref.Vm}", missing.Fault.Detail, StringComparison.Ordinal);

        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));
        Assert.Null(Ok(await fleet.Source.CleanDeviceAsync(claim, Ct)).Failing());
        await Pass(fleet, 1);

        Assert.Equal((false, true), await Present(fleet));
        Assert.DoesNotContain(await Counted(fleet.Target), c => c.Key.StartsWith("waits-", StringComparison.Ordinal));
    });

    [Fact]
    public Task A_reset_that_is_not_proven_leaves_it_where_it_was_until_somebody_changes_something() => OnTestFleet(async fleet =>
    {
        await fleet.BreakResetAsync(fleet.Source, Shared);

        await HandOver(fleet);

        Assert.Equal((true, false), await Present(fleet));
        Assert.Equal(1, (await Counted(fleet.Source))["waits-not-reset"]);
        Assert.Equal((1, 0, 0), await Moves(fleet.Source));
        fleet.SetLabel(fleet.Source, $"{HostLabels.Reset}.{Shared}", "");
        await Pass(fleet, 1);
        Assert.Equal((false, true), await Present(fleet));
    });

    [Fact]
    public Task What_was_not_proven_clean_after_its_last_guest_is_kept_from_the_other_host_too() => OnTestFleet(async fleet =>
    {
        var claim = new DeviceClaim((await MadeBy(fleet.Source))[0].Address, First);
        await fleet.BreakResetAsync(fleet.Source, claim.Address);
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), DeviceSettings.None, Ct));
        Assert.NotNull(Ok(await fleet.Source.CleanDeviceAsync(claim, Ct)).Failing());

        await HandOver(fleet);

        Assert.Equal((true, false), await Present(fleet));
        Assert.Equal(1, (await Counted(fleet.Source))["waits-not-clean"]);
    });

    [Fact]
    public Task Claimed_by_two_hosts_it_stays_where_it_is() => OnTestFleet(async fleet =>
    {
        fleet.SetLabel(fleet.Source, HostLabels.Claim, $"other, {Slot}");
        await HandOver(fleet);

        Assert.Equal((true, false), await Present(fleet));
        Assert.Equal(1, (await Counted(fleet.Target))["waits-claimed-twice"]);
        fleet.SetLabel(fleet.Source, HostLabels.Claim, "other");
        await Pass(fleet, 1);
        Assert.Equal((false, true), await Present(fleet));
    });

    [Fact]
    public Task What_the_old_hosts_guest_had_it_write_to_is_a_fault_afterwards_and_never_the_new_guests_memory() => OnTestFleet(async fleet =>
    {
        var claim = new DeviceClaim(Shared, First);
        var before = await RunWith(fleet.Source, fleet, claim);
        var (source, group) = (ModelOf(fleet.Source), FunctionAt(fleet.Source).IommuGroup);
        Assert.True(source.Iommu.Write(Shared, group, 0x5000, [1]));
        Ok(await fleet.Source.DestroyAsync(before.Ref, Ct));
        Assert.Null(Ok(await fleet.Source.CleanDeviceAsync(claim, Ct)).Failing());
        await HandOver(fleet);
        var after = await RunWith(fleet.Target, fleet, claim);

        Assert.False(source.Iommu.Write(Shared, group, 0x5000, [0x66]));

        Assert.Equal((Shared, true), Ok(await fleet.Source.Statistics.ReadHostStatisticsAsync(Ct)).DmaFaults.Select(f => (f.Requester, f.IsWrite)).Single());
        Assert.True(ModelOf(fleet.Target).Iommu.Write(Shared, group, 0x6000, [0x77]));
        var seen = new byte[2];
        DomainOf(fleet.Target, after).Memory!.Read(0x5000, seen.AsSpan(0, 1));
        DomainOf(fleet.Target, after).Memory!.Read(0x6000, seen.AsSpan(1, 1));
        Assert.Equal([0, 0x77], seen);
    });

    [Fact]
    public Task A_host_that_dies_leaves_its_function_to_the_one_that_claims_it() => OnTestFleet(async fleet =>
    {
        var claim = new DeviceClaim(Shared, First);
        await RunWith(fleet.Source, fleet, claim);
        await HandOver(fleet);
        Assert.Equal((true, false), await Present(fleet));

        await fleet.CrashAsync(fleet.Source);
        await Pass(fleet, 1);

        await RunWith(fleet.Target, fleet, claim);
        await fleet.ReviveAsync(fleet.Source);
        Assert.Equal((false, true), await Present(fleet));
    });

    [Fact]
    public Task A_host_that_dies_while_the_function_is_on_its_way_to_it_finds_it_at_its_next_boot() => OnTestFleet(async fleet =>
    {
        fleet.SetLabel(fleet.Target, HostLabels.Claim, Slot);
        await Pass(fleet, 0.05);
        Assert.Equal((false, false), await Present(fleet));
        await fleet.CrashAsync(fleet.Target);
        await Pass(fleet, 1);

        await fleet.ReviveAsync(fleet.Target);
        Assert.Equal((false, true), await Present(fleet));
        Assert.Equal("igb", FunctionAt(fleet.Target).Driver);
        Assert.NotEmpty(await MadeBy(fleet.Target));
    });

    [Fact]
    public Task The_functions_of_a_host_that_exists_no_longer_stay_with_the_chassis() => OnTestFleet(async fleet =>
    {
        await fleet.Fleet.CloseAsync(fleet.Source.Host, forget: true, Ct);
        Assert.False(await Has(fleet.Target));
        await HandOver(fleet);
        Assert.True(await Has(fleet.Target));
    });

    [Fact]
    public Task A_function_that_appears_is_the_hosts_first_unless_it_is_hidden_there() => OnTestFleet(async fleet =>
    {
        fleet.SetLabel(fleet.Target, HostLabels.Hide, $"{Shared}");
        await fleet.CrashAsync(fleet.Target);
        await fleet.ReviveAsync(fleet.Target);

        await HandOver(fleet);

        Assert.Equal(("vfio-pci", 0), (FunctionAt(fleet.Target).Driver, FunctionAt(fleet.Target).HostBinds));
        Assert.Empty(await MadeBy(fleet.Target));
    });

    /// <param name="lines">How many of the chassis's journal were on disk when the process was killed: the second hands the function over.</param>
    [Theory]
    [InlineData(0, true)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public Task One_line_decides_where_a_killed_process_finds_it(int lines, bool onSource) => OnTestFleet(async fleet =>
    {
        await HandOver(fleet);
        var killed = Kill($"killed-{lines}");
        var journal = Path.Combine(killed, "chassis.journal");
        Assert.Equal(2, File.ReadAllLines(journal).Length);
        File.WriteAllText(journal, string.Concat(File.ReadAllLines(journal)[..lines].Select(l => l + "\n")) + "{\"Chas");

        await On(killed).DisposeAsync();
        await using var after = On(killed);

        Assert.Equal((onSource, !onSource), await Present(after));
    });

    [Fact]
    public Task A_claim_waits_for_an_owner_that_a_new_process_has_not_opened_yet() => OnTestFleet(async fleet =>
    {
        await RunWith(fleet.Source, fleet, new DeviceClaim(Shared, First));
        var killed = Kill("owner-away");
        using var second = new EmulatedFleet(base.Options with { JournalDirectory = killed }, (name, _) => ValueTask.FromResult<HostProfile?>(Captures.Named(name)), Time);
        var labels = InOneChassis.ToDictionary(l => l.Item1, l => l.Item2);

        var target = Ok(await second.OpenAsync(TestFleet.RecordOf(2, Capture, new(labels) { [HostLabels.Claim] = Slot }), Ct));
        await Pass(fleet, 1);
        Assert.Equal(1, (await Counted(target))["waits-owner-away"]);
        var source = Ok(await second.OpenAsync(TestFleet.RecordOf(1, Capture, labels), Ct));
        await Pass(fleet, 1);

        Assert.Equal((true, false), (await Has(source), await Has(target)));
        Assert.Equal(1, (await Counted(target))["waits-in-guest"]);
    });

    /// <summary>What the disk holds when the process is killed now.</summary>
    private string Kill(string name)
    {
        var killed = Directory.CreateDirectory(Path.Combine(root, name)).FullName;
        foreach (var file in Directory.EnumerateFiles(Options.JournalDirectory!))
            File.Copy(file, Path.Combine(killed, Path.GetFileName(file)));
        return killed;
    }

    private TestFleet On(string directory) => new(Capture, base.Options with { JournalDirectory = directory }, Time, InOneChassis);

    /// <summary>The target claims the slot, and there is time enough.</summary>
    private static async Task HandOver(TestFleet fleet)
    {
        fleet.SetLabel(fleet.Target, HostLabels.Claim, Slot);
        await Pass(fleet, 1);
    }

    private async Task<DomainDefinition> RunWith(IHypervisor host, TestFleet fleet, DeviceClaim claim)
    {
        var definition = NewDefinition(fleet, devices: new DomainDevice("dev0", claim, PciAddress.Parse("0000:01:00.0"), DeviceSettings.None));
        Ok(await host.PrepareDeviceAsync(claim, definition.Ref.Vm, DeviceSettings.None, Ct));
        Ok(await host.DefineAsync(definition, Ct));
        Ok(await host.StartAsync(definition.Ref, Ct));
        return definition;
    }

    private static EmulatedFunction FunctionAt(IHypervisor host) => ModelOf(host).Tree.Find(Shared)!;

    private static async Task<bool> Has(IHypervisor host) => Ok(await host.ReadInventoryAsync(Ct)).Functions.Any(f => f.Address == Shared);

    private static async Task<(bool OnSource, bool OnTarget)> Present(TestFleet fleet) => (await Has(fleet.Source), await Has(fleet.Target));

    private static async Task<IReadOnlyList<PciFunction>> MadeBy(IHypervisor host) =>
        [.. Ok(await host.ReadInventoryAsync(Ct)).Functions.Where(f => f.PhysicalFunction == Shared)];

    private static async Task<Dictionary<string, long>> Counted(IHypervisor host) =>
        Ok(await host.Statistics.ReadHostStatisticsAsync(Ct)).Groups.Single(g => g.Name == $"multi-root-{Slot}").Counters.ToDictionary(c => c.Name, c => c.Value);

    private static async Task<(long Present, long HandedOver, long TakenOver)> Moves(IHypervisor host)
    {
        var counted = await Counted(host);
        return (counted["present"], counted["handed-over"], counted["taken-over"]);
    }

    /// <summary>When the host next tells that its functions changed.</summary>
    private static async Task<DateTimeOffset> Told(IHypervisor host)
    {
        await foreach (var happened in host.WatchAsync(Ct))
        {
            if (happened is HypervisorEvent.InventoryChanged)
                return happened.At;
        }
        throw new InvalidOperationException("The stream ended.");
    }
}
