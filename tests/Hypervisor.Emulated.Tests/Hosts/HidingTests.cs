using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Hosts;

/// <summary>Devices are kept from their host's own drivers, through the port.</summary>
public sealed class HidingTests : EmulatedTest, IDisposable
{
    private static readonly PciAddress First7 = PciAddress.Parse("0000:07:01.0");

    private readonly string root = Directory.CreateTempSubdirectory("emulated-hiding-").FullName;

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public Task Preparing_and_cleaning_go_by_override_unbind_and_probe() => OnTestFleet(async fleet =>
    {
        var (claim, vm) = (new DeviceClaim(await FirstVirtualFunction(fleet, fleet.Source), First), NewVm());
        var function = ModelOf(fleet.Source).Tree.Find(claim.Address)!;
        var before = await Counted(fleet.Source);

        Ok(await fleet.Source.PrepareDeviceAsync(claim, vm, DeviceSettings.None, Ct));
        Ok(await fleet.Source.PrepareDeviceAsync(claim, vm, DeviceSettings.None, Ct));
        Assert.Equal((EmulatedFunction.VfioDriver, EmulatedFunction.VfioDriver), (function.DriverOverride, function.Driver));
        Assert.Equal((1, 1, 1, 1, 0), Since(before, await Counted(fleet.Source)));

        Assert.Null(Ok(await fleet.Source.CleanDeviceAsync(claim, Ct)).Failing());
        Assert.Equal((null, function.HostDriver), (function.DriverOverride, function.Driver));
        Assert.Equal((2, 2, 2, 2, 1), Since(before, await Counted(fleet.Source)));
    });

    [Fact]
    public Task What_cannot_be_proven_clean_keeps_its_override() => OnTestFleet(async fleet =>
    {
        var claim = new DeviceClaim(await FirstVirtualFunction(fleet, fleet.Source), First);
        var function = ModelOf(fleet.Source).Tree.Find(claim.Address)!;
        await fleet.BreakResetAsync(fleet.Source, claim.Address);
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), DeviceSettings.None, Ct));
        var binds = function.HostBinds;

        Assert.NotNull(Ok(await fleet.Source.CleanDeviceAsync(claim, Ct)).Failing());
        ModelOf(fleet.Source).Tree.Drivers.Probe(function);

        Assert.Equal((EmulatedFunction.VfioDriver, binds), (function.Driver, function.HostBinds));
    });

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task At_each_boot_the_host_has_a_function_first_unless_it_is_hidden(bool hidden)
    {
        await using var fleet = New(null, hidden ? [(HostLabels.Hide, "0000:04:10.0")] : []);
        await fleet.RunAsync(async () =>
        {
            var claim = new DeviceClaim(PciAddress.Parse("0000:04:10.0"), First);
            Assert.Equal(hidden ? "vfio-pci" : "igbvf", await DriverOf(fleet.Source, claim.Address));
            Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), DeviceSettings.None, Ct));

            await fleet.CrashAsync(fleet.Source);
            await fleet.ReviveAsync(fleet.Source);

            var function = ModelOf(fleet.Source).Tree.Find(claim.Address)!;
            Assert.Equal(hidden ? (EmulatedFunction.VfioDriver, 0) : ("igbvf", 1), (function.Driver, function.HostBinds));
            Assert.Empty(Ok(await fleet.Source.ListDevicesAsync(Ct)));
            var again = claim with { Generation = new Generation(2) };
            Ok(await fleet.Source.PrepareDeviceAsync(again, NewVm(), DeviceSettings.None, Ct));
            var proof = Ok(await fleet.Source.CleanDeviceAsync(again, Ct));
            Assert.Null(proof.Failing());
            Assert.Equal(hidden ? "vfio-pci" : "igbvf", proof.Driver);
            Assert.Empty(Ok(await fleet.Source.ListDevicesAsync(Ct)));
        });
    }

    [Fact]
    public Task A_new_list_counts_from_the_next_boot_on() => OnTestFleet(async fleet =>
    {
        var address = await FirstVirtualFunction(fleet, fleet.Source);
        fleet.SetLabel(fleet.Source, HostLabels.Hide, $"{address}");
        Assert.Equal("igbvf", await DriverOf(fleet.Source, address));

        await fleet.CrashAsync(fleet.Source);
        await fleet.ReviveAsync(fleet.Source);

        Assert.Equal("vfio-pci", await DriverOf(fleet.Source, address));
    });

    [Fact]
    public Task After_a_boot_all_virtual_functions_are_there_again_even_those_of_a_physical_one_that_a_guest_had() => OnTestFleet(async fleet =>
    {
        var physical = fleet.PhysicalFunction(fleet.Source);
        var before = (await VirtualFunctionsOf(fleet, fleet.Source)).Select(f => (f.Address, f.IommuGroup, f.Driver)).ToArray();
        Ok(await fleet.Source.PrepareDeviceAsync(new DeviceClaim(physical, First), NewVm(), DeviceSettings.None, Ct));
        Assert.Empty(await VirtualFunctionsOf(fleet, fleet.Source));

        await fleet.CrashAsync(fleet.Source);
        await fleet.ReviveAsync(fleet.Source);

        Assert.Equal(before, (await VirtualFunctionsOf(fleet, fleet.Source)).Select(f => (f.Address, f.IommuGroup, f.Driver)));
    });

    [Fact]
    public async Task Overrides_and_the_boots_list_outlive_the_process_and_the_host_touches_nothing_meanwhile()
    {
        var (assigned, hidden) = (PciAddress.Parse("0000:04:10.0"), First7);
        await using (var first = New(root, (HostLabels.Hide, $"{hidden}")))
        {
            await first.RunAsync(async () =>
            {
                Ok(await first.Source.SetVirtualFunctionCountAsync(first.PhysicalFunction(first.Source), 3, Ct));
                Ok(await first.Source.PrepareDeviceAsync(new DeviceClaim(assigned, First), NewVm(), DeviceSettings.None, Ct));
            });
        }

        await using var second = New(root, (HostLabels.Hide, ""));
        await second.RunAsync(async () =>
        {
            var tree = ModelOf(second.Source).Tree;
            Assert.Equal((EmulatedFunction.VfioDriver, 0), (tree.Find(assigned)!.Driver, tree.Find(assigned)!.HostBinds));
            Assert.Equal((EmulatedFunction.VfioDriver, 0), (tree.Find(hidden)!.Driver, tree.Find(hidden)!.HostBinds));
            await second.CrashAsync(second.Source);
        });

        // The host has lost its power: the boot that follows hides what the label says by then.
        await using var third = New(root, (HostLabels.Hide, ""));
        await third.RunAsync(async () =>
        {
            Assert.Equal("igbvf", await DriverOf(third.Source, assigned));
            Assert.NotEqual("vfio-pci", await DriverOf(third.Source, hidden));
        });
    }

    [Fact] // A line that two functions share: 07:01.0 is in conventional slot 1, 07:02.0 in slot 2.
    public Task A_driver_quiets_its_function_before_it_lets_go_and_afterwards_nobody_on_the_host_can() => OnTestFleet(async fleet =>
    {
        var host = ModelOf(fleet.Source);
        var (lost, good) = (host.Tree.Find(First7)!, host.Tree.Find(PciAddress.Parse("0000:07:02.0"))!);
        lost.Config.Force(0x3d, 1, 2);
        good.Config.Force(0x3d, 1, 1);
        foreach (var function in new[] { lost, good })
        {
            host.Tree.Drivers.Unbind(function);
            host.Tree.Drivers.Probe(function);
        }
        var (pins, line) = (host.Interrupts.Pins, host.Interrupts.Pins.LineOf(good)!);
        Assert.Same(line, pins.LineOf(lost));
        pins.Raise(lost);
        Assert.Equal((1, 0), (line.Interrupts, line.Unhandled));

        Ok(await fleet.Source.PrepareDeviceAsync(new DeviceClaim(First7, First), NewVm(), DeviceSettings.None, Ct));
        pins.Raise(good);
        Assert.Equal((2, 0, false), (line.Interrupts, line.Unhandled, line.IsAsserted));

        pins.Raise(lost); // It was quiet when it was let go; now it pulls, and vfio-pci has not been opened.
        Assert.True(line.IsDisabled);
    });

    private TestFleet New(string? journal, params (string, string)[] labels) => new(options: Options with { JournalDirectory = journal }, time: Time, atFirst: labels);

    private static async Task<string?> DriverOf(IHypervisor host, PciAddress address) =>
        Ok(await host.ReadInventoryAsync(Ct)).Functions.Single(f => f.Address == address).Driver;

    private static async Task<Dictionary<string, long>> Counted(IHypervisor host) =>
        Ok(await host.Statistics.ReadHostStatisticsAsync(Ct)).Groups.Single(g => g.Name == "drivers").Counters.ToDictionary(c => c.Name, c => c.Value);

    private static (long Overrides, long Unbinds, long Probes, long Binds, long HostBinds) Since(Dictionary<string, long> before, Dictionary<string, long> now)
    {
        return (Of("overrides"), Of("unbinds"), Of("probes"), Of("binds"), Of("host-binds"));

        long Of(string name) => now[name] - before[name];
    }
}
