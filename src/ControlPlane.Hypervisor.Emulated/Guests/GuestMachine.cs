using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Interrupts;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>A guest's boot processor with its serial console. The other virtual CPUs wait for the guest's system to start them, which the model has no need of.</summary>
internal sealed class GuestMachine : ICounting
{
    private GuestMachine(EmulatedDomain domain)
    {
        Cpu = new VirtualCpu(domain.Memory!, new PortMap(), domain.Exits, domain.Behaviour.Virtualization)
        {
            IsBusy = domain.Behaviour.DirtyMiBPerSecond > 0,
        };
        (domain.Console ??= new SerialConsole()).ConnectTo(Cpu);
        Interrupts = new InterruptTarget(Cpu, () => domain is { State: DomainState.Running, IsSwitching: false });
    }

    public VirtualCpu Cpu { get; }

    /// <summary>Where devices and the VMM interrupt the guest.</summary>
    public InterruptTarget Interrupts { get; }

    /// <summary>The guest starts over: its firmware runs, from the reset vector until the guest is idle.</summary>
    public static void Boot(EmulatedDomain domain)
    {
        var (definition, cpu) = (domain.Definition, (domain.Machine = new GuestMachine(domain)).Cpu);
        Firmware.Boot(cpu, domain.Memory!, $"{definition.Name}: {definition.Vcpus} vCPU, {definition.MemoryMiB} MiB, {cpu.Virtualization}\n");
    }

    /// <summary>A migrated guest goes on where it stood on the source, its memory having arrived.</summary>
    public static void Continue(EmulatedDomain arriving, EmulatedDomain leaving)
    {
        if (leaving.Machine is not { } machine)
            return;
        // What was posted and not taken yet travels as a request, in the state of the local APIC.
        machine.Interrupts.Posted.Drain(machine.Cpu.Request);
        arriving.Machine = new GuestMachine(arriving);
        arriving.Machine.Cpu.TakeOver(machine.Cpu);
        if (arriving.State == DomainState.Running)
            arriving.Machine.Interrupts.Resume();
    }

    public void CountInto(CounterSheet sheet)
    {
        Cpu.CountInto(sheet);
        Interrupts.CountInto(sheet);
    }
}
