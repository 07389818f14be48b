using ControlPlane.Hypervisor.Emulated.Time;
using System.Text;
using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Specification;

namespace ControlPlane.Hypervisor.Emulated.Tests.Journal;

/// <summary>The process is killed and a new one opens the same directory: nothing that was answered is lost, and no guest runs twice.</summary>
public sealed class JournalReplayTests : HypervisorSpecification, IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("emulated-journal-").FullName;
    private readonly VirtualTime time = new();
    private int copies;

    public void Dispose() => Directory.Delete(root, recursive: true);

    protected override ISpecificationFleet NewFleet() => On(Path.Combine(root, "live"));

    [Fact]
    public Task A_killed_process_finds_its_guests_running_with_their_devices() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);

        await using var after = On(Kill());

        var status = Ok(await after.Source.FindDomainAsync(definition.Ref.Vm, Ct));
        Assert.Equal(DomainState.Running, status?.State);
        Assert.Equal(definition.Interfaces, status?.Interfaces);
        Assert.Equal(definition.Devices[0].Claim, Assert.Single(status!.Devices).Claim);
        Assert.Equal(await DeviceOf(fleet.Source, definition.Devices[0].Claim.Address), await DeviceOf(after.Source, definition.Devices[0].Claim.Address));
        Assert.Equal(
            Ok(await fleet.Source.ReadInventoryAsync(Ct)).Functions.Select(Identity), Ok(await after.Source.ReadInventoryAsync(Ct)).Functions.Select(Identity));
    });

    [Fact]
    public Task Fences_outlive_the_process() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var claim = definition.Devices[0].Claim;
        Ok(await fleet.Source.DestroyAsync(At(definition.Ref, 6), Ct));
        Ok(await fleet.Source.CleanDeviceAsync(claim with { Generation = new Generation(4) }, Ct));

        await using var after = On(Kill());

        Refused("stale-epoch", await after.Source.StartAsync(At(definition.Ref, 5), Ct));
        Refused("stale-generation", await after.Source.PrepareDeviceAsync(claim with { Generation = new Generation(3) }, definition.Ref.Vm, SettingsFor(1), Ct));
        Refused("stale-generation", await after.Source.PrepareDeviceAsync(claim with { Generation = new Generation(4) }, definition.Ref.Vm, SettingsFor(1), Ct));
    });

    [Fact]
    public Task The_count_of_virtual_functions_outlives_the_process() => OnFleet(async fleet =>
    {
        var physical = fleet.PhysicalFunction(fleet.Source);
        var made = Ok(await fleet.Source.SetVirtualFunctionCountAsync(physical, 6, Ct));

        await using var after = On(Kill());

        Assert.Equal(made.Select(f => f.Address), (await VirtualFunctionsOf(after, after.Source)).Select(f => f.Address));
    });

    [Fact]
    public Task A_copy_in_flight_is_gone_and_the_guest_runs_on_its_source() => OnFleet(async fleet =>
    {
        var definition = await HoldACopy(fleet);

        await using var after = On(Kill());

        Assert.Equal(DomainState.Running, await StateOf(after.Source, definition.Ref.Vm));
        Assert.Null(await StateOf(after.Target, definition.Ref.Vm));
        Assert.Equal(CopyPhase.None, Ok(await after.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase);
    });

    [Fact]
    public Task A_host_that_died_before_the_process_did_has_its_guests_off() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        await fleet.CrashAsync(fleet.Source);

        await using var after = On(Kill());

        Assert.Equal(DomainState.Off, await StateOf(after.Source, definition.Ref.Vm));
        Assert.Empty(Ok(await after.Source.ListDevicesAsync(Ct)));
    });

    /// <param name="sourceWrote">Whether the source's part was on disk beside the committed switch-over.</param>
    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public Task A_kill_within_the_switch_over_leaves_the_guest_on_the_target_alone(bool sourceWrote, bool targetWrote) => OnFleet(async fleet =>
    {
        var definition = await HoldACopy(fleet);
        var before = Kill();
        Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
        var after = Kill();
        if (!sourceWrote)
            File.Copy(JournalOf(before, fleet.Source), JournalOf(after, fleet.Source), overwrite: true);
        if (!targetWrote)
            File.Copy(JournalOf(before, fleet.Target), JournalOf(after, fleet.Target), overwrite: true);
        DropLastLine(Path.Combine(after, "switch-overs.journal"));

        // Opened twice: what the first opening mended must also be written down.
        await On(after).DisposeAsync();
        await using var reopened = On(after);

        Assert.Null(await StateOf(reopened.Source, definition.Ref.Vm));
        Assert.Equal(DomainState.Running, await StateOf(reopened.Target, definition.Ref.Vm));
        Assert.Equal(SwitchOverResult.OnTarget, Ok(await reopened.Source.Migration.SwitchOverAsync(definition.Ref, Ct)));
        Assert.Equal(CopyPhase.Completed, Ok(await reopened.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase);
    });

    [Fact]
    public Task Whatever_a_kill_leaves_of_the_last_line_the_rest_is_replayed() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        Ok(await fleet.Source.PauseAsync(At(definition.Ref, 2), Ct));
        Ok(await fleet.Source.ResumeAsync(At(definition.Ref, 3), Ct));
        Ok(await fleet.Source.UnplugAsync(At(definition.Ref, 4), "net0", Patience, Ct));
        var whole = await File.ReadAllBytesAsync(JournalOf(Kill(), fleet.Source), Ct);
        Assert.True(whole.Count(b => b == '\n') >= 8);

        // At the end of each line and in the middle of each: a torn line counts as none.
        foreach (var length in Enumerable.Range(0, whole.Length).Where(n => n == 0 || whole[n - 1] == '\n' || n % 97 == 0))
        {
            var directory = Kill();
            await File.WriteAllBytesAsync(JournalOf(directory, fleet.Source), whole[..length], Ct);
            await using var after = On(directory);
            var lines = Encoding.UTF8.GetString(whole, 0, length).Split('\n')[..^1];
            Assert.Equal(lines.Any(l => l.StartsWith("{\"domain\"", StringComparison.Ordinal)), await StateOf(after.Source, definition.Ref.Vm) is not null);
            Ok(await after.Source.DestroyAsync(At(definition.Ref, 9), Ct));
        }
    });

    [Fact]
    public Task A_journal_goes_on_behind_what_a_kill_left_of_its_last_line() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        var directory = Kill();
        await File.AppendAllTextAsync(JournalOf(directory, fleet.Source), "{\"power\":{\"Vm\":", Ct);
        await using (var second = On(directory))
            Ok(await second.Source.PauseAsync(At(definition.Ref, 2), Ct));

        await using var third = On(directory);

        var status = Ok(await third.Source.FindDomainAsync(definition.Ref.Vm, Ct));
        Assert.Equal((DomainState.Paused, At(definition.Ref, 2)), (status?.State, status?.Ref));
        Assert.Single(status!.Devices);
    });

    [Fact]
    public Task A_line_in_the_middle_that_cannot_be_read_keeps_the_host_closed() => OnFleet(async fleet =>
    {
        await RunWithDevice(fleet);
        var directory = Kill();
        var path = JournalOf(directory, fleet.Source);
        var lines = await File.ReadAllLinesAsync(path, Ct);
        lines[1] = lines[1][..^3];
        await File.WriteAllLinesAsync(path, lines, Ct);

        var refused = Assert.ThrowsAny<Exception>(() => On(directory));
        Assert.Contains("journal-failed", refused.Message, StringComparison.Ordinal);
        Assert.Contains(":2 ", refused.Message, StringComparison.Ordinal);
    });

    [Fact]
    public Task A_forgotten_host_leaves_no_journal() => OnFleet(async fleet =>
    {
        await RunWithDevice(fleet);

        await ((TestFleet)fleet).Fleet.CloseAsync(fleet.Source.Host, forget: true, Ct);

        Assert.False(File.Exists(JournalOf(Path.Combine(root, "live"), fleet.Source)));
    });

    private async Task<DomainDefinition> HoldACopy(ISpecificationFleet fleet)
    {
        var definition = await Run(fleet);
        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        var options = new CopyOptions(MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), AutoConverge: false);
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, options, Ct));
        await Task.Delay(TimeSpan.FromSeconds(10), fleet.Time, Ct);
        return definition;
    }

    /// <summary>What the disk holds when the process is killed now: nothing is closed or flushed for it.</summary>
    private string Kill()
    {
        var copy = Directory.CreateDirectory(Path.Combine(root, $"killed-{++copies}")).FullName;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(root, "live")))
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        return copy;
    }

    private TestFleet On(string directory) => new(options: new EmulationOptions { JournalDirectory = directory }, time: time);

    private static string JournalOf(string directory, IHypervisor host) => Path.Combine(directory, $"{host.Host}.journal");

    private static void DropLastLine(string path) => File.WriteAllLines(path, File.ReadAllLines(path)[..^1]);

    private static (PciAddress, string?, int?, int?) Identity(PciFunction f) => (f.Address, f.Driver, f.IommuGroup, f.Sriov?.VfCount);
}
