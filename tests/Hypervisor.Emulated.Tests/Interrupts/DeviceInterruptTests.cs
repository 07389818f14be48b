using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Interrupts;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Interrupts;

/// <summary>Devices of the VMM's own interrupt their guest's processor as functions do, but by injection: the VMM is the sender.</summary>
public sealed class DeviceInterruptTests : EmulatedTest
{
    /// <summary>Two seconds of frames to a station that sends each back.</summary>
    private async Task<EmulatedDomain> Traffic(TestFleet fleet, params (string, string)[] labels)
    {
        var definition = Labelled(NewDefinition(fleet), [(GuestLabels.Traffic, "100"), .. labels]) with { Interfaces = [Standby() with { Standby = false }] };
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
        await Pass(fleet, 10);
        Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct));
        await Pass(fleet, 2);
        Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct));
        return DomainOf(fleet.Source, definition);
    }

    [Theory]
    [InlineData("virtio", "hardware")]
    [InlineData("e1000", "hardware")]
    [InlineData("xen", "hardware")]
    [InlineData("virtio", "binary-translation")]
    [InlineData("e1000", "trap-and-emulate")]
    [InlineData("e1000", "paravirtual")]
    public Task A_guests_interrupts_are_those_of_all_its_devices(string way, string method) => OnTestFleet(async fleet =>
    {
        var domain = await Traffic(fleet, (GuestLabels.Nic, way), (GuestLabels.Virtualization, method));

        var (nic, machine) = (domain.Nics.All.Single(), domain.Machine!);
        Assert.True(nic[NicCount.ReceivedFrames] > 100, $"{nic[NicCount.ReceivedFrames]} frames came back.");
        Assert.True(nic[NicCount.Interrupts] > 0);
        Assert.Equal((nic[NicCount.Interrupts], 0), (machine.Interrupts.InjectedInterrupts, machine.Interrupts.PostedInterrupts));
        Assert.Equal(nic[NicCount.Interrupts], machine.Cpu.DeliveredInterrupts);
    });

    [Theory] // The end of an upcall is written into a shared page; an exit for the end of each other interrupt.
    [InlineData("virtio", true)]
    [InlineData("e1000", true)]
    [InlineData("xen", false)]
    public Task The_VMM_hears_of_the_end_of_what_it_injected_but_not_of_an_upcalls(string way, bool isHeard) => OnTestFleet(async fleet =>
    {
        var domain = await Traffic(fleet, (GuestLabels.Nic, way));

        Assert.Equal(isHeard ? domain.Nics.All[0][NicCount.Interrupts] : 0, domain.Exits[ExitReason.VirtualizedEoi]);
    });

    [Fact]
    public Task A_NIC_that_comes_and_goes_gives_its_vectors_back() => OnTestFleet(async fleet =>
    {
        var domain = await Traffic(fleet);
        for (var i = 0; i < 60; i++)
        {
            await Pass(fleet, 20); // Nobody looks: the NIC goes.
            Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(domain.Vm, Ct));
            await Pass(fleet, 0.1);
        }
        Ok(await fleet.Source.PingAsync(Ct));

        Assert.Equal(Firmware.FirstMessageVector + 2, domain.Machine!.Interrupts.AllocateVector());
    });

    [Fact]
    public Task A_rebooted_guest_takes_the_interrupts_of_its_devices_with_its_new_processor() => OnTestFleet(async fleet =>
    {
        var domain = await Traffic(fleet, (GuestLabels.Nic, "e1000"));
        Ok(await fleet.Source.RebootAsync(At(domain.Definition.Ref, 2), Ct));
        await Pass(fleet, 10);
        Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(domain.Vm, Ct));
        await Pass(fleet, 2);
        Ok(await fleet.Source.PingAsync(Ct));

        Assert.True(domain.Machine!.Interrupts.InjectedInterrupts > 0);
        Assert.Equal(domain.Machine.Interrupts.InjectedInterrupts, domain.Machine.Cpu.DeliveredInterrupts);
    });

    [Fact] // 82093AA: Remote IRR is set while the interrupt is in service, and the line is looked at again at its end.
    public void A_line_that_is_still_pulled_at_the_end_of_its_interrupt_brings_the_next()
    {
        var (target, exits) = NewGuest();
        var served = 0;
        VmmInterrupt line = null!;
        line = target.Connect(isLine: true, endIsHeard: true, () =>
        {
            line.Raise(cpuIsOut: true); // It is up already: nothing new.
            if (++served == 3)
                line.Lower();
        });

        line.Raise(cpuIsOut: false);

        Assert.Equal((3, false, 3), (served, line.IsAsserted, target.InjectedInterrupts));
        Assert.Equal((1, 3), (exits[ExitReason.ExternalInterrupt], exits[ExitReason.VirtualizedEoi]));
    }

    [Fact]
    public void What_comes_between_the_reading_of_the_cause_and_the_end_of_the_interrupt_is_not_lost()
    {
        var (target, _) = NewGuest();
        var served = 0;
        VmmInterrupt line = null!;
        line = target.Connect(isLine: true, endIsHeard: true, () =>
        {
            line.Lower();
            if (++served == 1)
                line.Raise(cpuIsOut: true);
        });

        line.Raise(cpuIsOut: false);

        Assert.Equal((2, false), (served, line.IsAsserted));
    }

    private static (InterruptTarget Target, ExitCounters Exits) NewGuest()
    {
        var (memory, exits) = (new GuestMemory(16 * 1024 * 1024), new ExitCounters());
        var cpu = new VirtualCpu(memory, new PortMap(), exits, Virtualization.Hardware) { IsBusy = true };
        Firmware.Boot(cpu, memory, "guest\n");
        return (new InterruptTarget(cpu, () => true), exits);
    }
}
