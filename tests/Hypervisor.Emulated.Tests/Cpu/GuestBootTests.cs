using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Cpu;

/// <summary>Each emulated VM boots by running its firmware.</summary>
public sealed class GuestBootTests : EmulatedTest
{
    private static string LineOf(DomainDefinition definition, string method) =>
        $"{definition.Name}: {definition.Vcpus} vCPU, {definition.MemoryMiB} MiB, {method}\n";

    [Theory]
    [InlineData("hardware", nameof(Virtualization.Hardware))]
    [InlineData("binary-translation", nameof(Virtualization.BinaryTranslation))]
    [InlineData("paravirtual", nameof(Virtualization.Paravirtual))]
    [InlineData("trap-and-emulate", nameof(Virtualization.TrapAndEmulate))]
    [InlineData("nonsense", nameof(Virtualization.Hardware))]
    public Task A_guest_prints_its_boot_line_and_halts(string label, string method) => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Virtualization, label)));
        var domain = DomainOf(fleet.Source, definition);

        Assert.Equal(LineOf(definition, method), domain.ConsoleText);
        Assert.Equal(ActivityState.Halted, domain.Machine!.Cpu.Activity);
    });

    [Fact]
    public Task The_exits_of_the_boot_are_in_the_VMs_statistics() => OnTestFleet(async fleet =>
    {
        var definition = await Run(fleet);

        var statistics = Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct));

        // Seven accesses set the port up; then each byte costs a look at the line status and the byte itself.
        var exits = statistics.Groups.Single(g => g.Name == "exits").Counters;
        Assert.Equal(7 + (2 * LineOf(definition, "Hardware").Length), exits.Single(c => c.Name == "io-instruction").Value);
        Assert.Equal(1, exits.Single(c => c.Name == "hlt").Value);
        Assert.Equal(LineOf(definition, "Hardware").Length, statistics.Groups.Single(g => g.Name == "console").Counters.Single(c => c.Name == "printed-bytes").Value);
    });

    [Fact]
    public Task A_paravirtual_guest_exits_once_for_the_whole_line() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet), (GuestLabels.Virtualization, "paravirtual")));

        var exits = DomainOf(fleet.Source, definition).Exits;

        Assert.Equal((2, 2), (exits.Total, exits[ExitReason.Hypercall]));
    });

    [Fact]
    public Task A_reboot_prints_again_and_a_power_off_keeps_the_text() => OnTestFleet(async fleet =>
    {
        var definition = await Run(fleet);
        Ok(await fleet.Source.RebootAsync(definition.Ref, Ct));
        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));

        var domain = DomainOf(fleet.Source, definition);

        Assert.Equal(LineOf(definition, "Hardware") + LineOf(definition, "Hardware"), domain.ConsoleText);
        Assert.Null(domain.Machine);
    });

    [Fact]
    public Task A_migrated_guest_goes_on_where_it_stood() => OnTestFleet(async fleet =>
    {
        var definition = await Launch(fleet, NewDefinition(fleet, devices: Device(await FirstVirtualFunction(fleet, fleet.Source))));
        var before = DomainOf(fleet.Source, definition).Machine!.Cpu.State.Ip;
        await MigrateWithDevice(fleet, definition);
        var domain = DomainOf(fleet.Target, definition);
        var cpu = domain.Machine!.Cpu;
        Assert.Equal((before, ActivityState.Halted, ""), (cpu.State.Ip, cpu.Activity, domain.ConsoleText));

        // Its new function has been telling it of the probe frames, by posted messages through this host's remapping.
        var taken = cpu.DeliveredInterrupts;
        Assert.NotEqual(0, taken);
        Assert.Equal(taken, ModelOf(fleet.Target).Interrupts.Remapper.PostedInterrupts);
        cpu.Interrupt(Firmware.FirstMessageVector, posted: true);

        Assert.Equal((before, taken + 1), (cpu.State.Ip, cpu.DeliveredInterrupts));
    });
}
