using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Interrupts;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Interrupts;

/// <summary>Interrupts of functions in running guests: programmed, remapped, posted, injected, blocked.</summary>
public sealed class DeliveryTests : EmulatedTest
{
    private static readonly PciAddress First7 = PciAddress.Parse("0000:07:01.0");
    private static readonly PciAddress Second7 = PciAddress.Parse("0000:07:02.0");

    private static EmulatedFunction FunctionOf(TestFleet fleet, DomainDefinition definition) =>
        ModelOf(fleet.Source).Tree.Find(definition.Devices[0].Claim.Address)!;

    /// <summary>A guest whose function's driver is loaded: its table is programmed, what follows is the interrupts' own.</summary>
    private async Task<(DomainDefinition Definition, EmulatedDomain Domain, EmulatedFunction Function)> Ready(TestFleet fleet, params (string, string)[] labels)
    {
        var definition = await Launch(fleet, Labelled(NewDefinition(fleet, devices: Device(await FirstVirtualFunction(fleet, fleet.Source))), labels));
        var function = FunctionOf(fleet, definition);
        Assert.True(ModelOf(fleet.Source).Interrupts.Signal(function, 0));
        return (definition, DomainOf(fleet.Source, definition), function);
    }

    [Fact]
    public Task An_interrupt_is_posted_into_a_running_guest_without_an_exit() => OnTestFleet(async fleet =>
    {
        var (_, domain, function) = await Ready(fleet);
        var (exits, delivered) = (domain.Exits.Total, domain.Machine!.Cpu.DeliveredInterrupts);

        Assert.True(ModelOf(fleet.Source).Interrupts.Signal(function, 0));

        Assert.Equal((exits, delivered + 1), (domain.Exits.Total, domain.Machine.Cpu.DeliveredInterrupts));
        Assert.Equal(2, ModelOf(fleet.Source).Interrupts.Remapper.PostedInterrupts);
    });

    [Fact]
    public Task Without_posting_an_interrupt_brings_the_guest_out() => OnTestFleet(async fleet =>
    {
        fleet.SetLabel(fleet.Source, HostLabels.PostedInterrupts, "off");
        var (_, domain, function) = await Ready(fleet);
        var before = domain.Exits[ExitReason.ExternalInterrupt];

        Assert.True(ModelOf(fleet.Source).Interrupts.Signal(function, 0));

        Assert.Equal(before + 1, domain.Exits[ExitReason.ExternalInterrupt]);
        Assert.Equal((0, 2), (ModelOf(fleet.Source).Interrupts.Remapper.PostedInterrupts, domain.Machine!.Interrupts.InjectedInterrupts));
    });

    [Theory]
    [InlineData("trap-and-emulate")]
    [InlineData("binary-translation")]
    [InlineData("paravirtual")]
    public Task A_guest_without_hardware_assist_is_interrupted_by_injection_and_its_handler_returns(string method) => OnTestFleet(async fleet =>
    {
        var (_, domain, function) = await Ready(fleet, (GuestLabels.Virtualization, method));

        Assert.True(ModelOf(fleet.Source).Interrupts.Signal(function, 0));

        Assert.Equal((2, true), (domain.Machine!.Cpu.DeliveredInterrupts, domain.Machine.Cpu.InterruptFlag));
        Assert.Equal(2, domain.Exits[ExitReason.ExternalInterrupt]);
    });

    [Fact]
    public Task An_idle_guest_is_woken_and_halts_again() => OnTestFleet(async fleet =>
    {
        var (_, domain, function) = await Ready(fleet, (GuestLabels.DirtyMiBPerSecond, "0"));
        var halts = domain.Exits[ExitReason.Hlt];

        ModelOf(fleet.Source).Interrupts.Signal(function, 0);

        Assert.Equal(halts + 1, domain.Exits[ExitReason.Hlt]);
    });

    [Fact]
    public Task What_is_posted_to_a_paused_guest_is_taken_when_it_resumes_once_for_each_vector() => OnTestFleet(async fleet =>
    {
        var (definition, domain, function) = await Ready(fleet);
        var interrupts = ModelOf(fleet.Source).Interrupts;
        Ok(await fleet.Source.PauseAsync(definition.Ref, Ct));
        for (var i = 0; i < 3; i++)
            Assert.True(interrupts.Signal(function, 0));
        Assert.Equal(1, domain.Machine!.Cpu.DeliveredInterrupts);

        Ok(await fleet.Source.ResumeAsync(definition.Ref, Ct));

        Assert.Equal((2, 2), (domain.Machine.Cpu.DeliveredInterrupts, domain.Machine.Interrupts.Posted.Coalesced));
    });

    [Fact]
    public Task A_masked_vector_is_pending_until_its_mask_goes() => OnTestFleet(async fleet =>
    {
        var (_, domain, function) = await Ready(fleet);
        var interrupts = ModelOf(fleet.Source).Interrupts;
        var table = interrupts.Find(function.Address)!.Msix!;
        table.Write(12, 1);

        Assert.True(interrupts.Signal(function, 0));
        Assert.Equal((true, 1), (table.IsPending(0), domain.Machine!.Cpu.DeliveredInterrupts));
        table.Write(12, 0);
        Assert.Equal((false, 2), (table.IsPending(0), domain.Machine.Cpu.DeliveredInterrupts));

        table.WriteControl(enable: true, maskAll: true);
        interrupts.Signal(function, 0);
        Assert.True(table.IsPending(0));
        table.WriteControl(enable: true, maskAll: false);
        Assert.Equal((3, 2), (domain.Machine.Cpu.DeliveredInterrupts, table.PendedMessages));
    });

    [Fact]
    public Task A_device_cannot_send_anothers_interrupt_nor_one_of_its_own_making() => OnTestFleet(async fleet =>
    {
        var (_, domain, function) = await Ready(fleet);
        var model = ModelOf(fleet.Source);
        var forger = (await VirtualFunctionsOf(fleet, fleet.Source))[1].Address;
        var entry = model.Interrupts.Find(function.Address)!.Msix!.Read(0);

        Assert.False(model.Iommu.Write(forger, 1, entry, [0, 0, 0, 0]));
        Assert.False(model.Iommu.Write(forger, 1, 0xfee0_0000, [0x30, 0, 0, 0]));
        Assert.False(model.Iommu.Write(forger, 1, InterruptMessages.AddressOf(4711), [0, 0, 0, 0]));

        var faults = Ok(await fleet.Source.Statistics.ReadHostStatisticsAsync(Ct)).DmaFaults;
        Assert.Equal(["interrupt-of-another", "interrupt-not-remappable", "interrupt-index-too-large"], faults.Select(f => f.Reason));
        Assert.All(faults, f => Assert.Equal(forger, f.Requester));
        Assert.Equal((1, 3), (domain.Machine!.Cpu.DeliveredInterrupts, model.Interrupts.Remapper.BlockedInterrupts));
    });

    [Fact]
    public Task After_the_device_is_closed_its_entry_is_gone_and_a_late_message_is_blocked() => OnTestFleet(async fleet =>
    {
        var (definition, _, function) = await Ready(fleet);
        var model = ModelOf(fleet.Source);
        var message = model.Interrupts.Find(function.Address)!.Msix!.Read(0);
        Assert.Equal(1, model.Interrupts.Remapper.UsedEntries);
        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));

        Assert.False(model.Interrupts.Signal(function, 0));
        Assert.False(model.Iommu.Write(function.Address, function.IommuGroup, message, [0, 0, 0, 0]));

        Assert.Equal((0, DmaFaultReason.InterruptNotPresent), (model.Interrupts.Remapper.UsedEntries, Assert.Single(model.Iommu.Faults).Reason));
    });

    [Fact]
    public Task A_rebooted_guest_programs_its_table_anew() => OnTestFleet(async fleet =>
    {
        var (definition, domain, function) = await Ready(fleet);
        Ok(await fleet.Source.RebootAsync(definition.Ref, Ct));

        Assert.True(ModelOf(fleet.Source).Interrupts.Signal(function, 0));

        Assert.Equal((1, 1), (domain.Machine!.Cpu.DeliveredInterrupts, ModelOf(fleet.Source).Interrupts.Remapper.UsedEntries));
    });

    [Fact]
    public Task A_conventional_function_interrupts_by_its_pin_which_is_disconnected_until_the_guest_has_seen_to_it() => OnTestFleet(async fleet =>
    {
        var model = ModelOf(fleet.Source);
        var definition = NewDefinition(fleet, devices: Device(First7) with { Settings = DeviceSettings.None });
        Ok(await fleet.Source.PrepareDeviceAsync(new DeviceClaim(Second7, First), definition.Ref.Vm, DeviceSettings.None, Ct));
        await Launch(fleet, definition);
        var function = FunctionOf(fleet, definition);
        function.Config.Force(0x3d, 1, 1);

        Assert.True(model.Interrupts.Signal(function, 0));

        var line = model.Interrupts.Pins.LineOf(function)!;
        Assert.Equal((false, 1, 0), (line.IsAsserted, line.Interrupts, line.Unhandled));
        Assert.False(IntxRouting.IsDisconnected(function));
        Assert.Equal((1, 1), (DomainOf(fleet.Source, definition).Machine!.Cpu.DeliveredInterrupts, DomainOf(fleet.Source, definition).Exits[ExitReason.ExternalInterrupt]));
    });
}
