using ControlPlane.Hypervisor.Emulated.Cpu;

namespace ControlPlane.Hypervisor.Emulated.Tests.Cpu;

/// <summary>
/// A kernel switches interrupts off by <c>popf</c>, and a device interrupts it in the middle. In ring 3 that <c>popf</c> neither works nor
/// faults (Intel SDM volume 2, POPF), so a VMM that only traps and emulates lets the interrupt in.
/// </summary>
public sealed class PopfTests
{
    private const ushort Origin = 0x1000;
    private const byte Vector = 0x40;

    /// <summary>Prints '[', starts the device inside of the critical section, prints ']'; the handler prints '!'.</summary>
    private static (string Text, VirtualCpu Cpu) Run(Virtualization method)
    {
        var paravirtual = method == Virtualization.Paravirtual;
        var (cpu, console, memory, _) = MiniVmmTests.Machine(method);
        cpu.Ports.Map(0x80, 1, new InterruptingDevice(cpu));
        memory.Write(Vector * 4, [0x00, 0x20, 0x00, 0x00]);
        memory.Write(0x2000, new ProgramBuilder(0x2000, paravirtual).Bytes(0x50).Out(Firmware.SerialPort, (byte)'!').Bytes(0x58).InterruptReturn().Build());
        var disable = new ProgramBuilder(Origin, paravirtual).EnableInterrupts().Bytes(0x90).SaveFlags();
        if (paravirtual)
            disable.Bytes(0x58, 0xb0, 0x00, 0x50); // pop ax; mov al,0; push ax
        else
            disable.Bytes(0x58, 0x25, 0xff, 0xfd, 0x50); // pop ax; and ax,~IF; push ax
        memory.Write(Origin, disable.RestoreFlags()
            .Out(Firmware.SerialPort, (byte)'[').Out(0x80, 0).Bytes(0x90).Out(Firmware.SerialPort, (byte)']')
            .EnableInterrupts().Bytes(0x90)
            .DisableInterrupts().Bytes(0xf4).Build());
        cpu.Start(0, Origin);
        return (console.Text, cpu);
    }

    [Fact]
    public void In_user_mode_popf_silently_drops_the_interrupt_flag_and_the_kernel_is_interrupted_where_it_must_not_be()
    {
        var (text, cpu) = Run(Virtualization.TrapAndEmulate);

        Assert.Equal("[!]", text);
        Assert.Equal(1, MiniVmmTests.Count(cpu, "dropped-interrupt-flag-writes"));
    }

    [Theory]
    [InlineData(nameof(Virtualization.Hardware))]
    [InlineData(nameof(Virtualization.BinaryTranslation))]
    [InlineData(nameof(Virtualization.Paravirtual))]
    public void Hardware_translation_and_a_ported_kernel_keep_the_interrupt_out_until_it_may_come(string method)
    {
        var (text, cpu) = Run(Enum.Parse<Virtualization>(method));

        Assert.Equal("[]!", text);
        Assert.Equal(1, cpu.DeliveredInterrupts);
    }

    [Fact]
    public void Pushf_in_user_mode_shows_the_hosts_interrupt_flag_instead_of_the_kernels()
    {
        Assert.Equal((true, false), (SeesInterruptsOn(Virtualization.TrapAndEmulate), SeesInterruptsOn(Virtualization.Hardware)));

        static bool SeesInterruptsOn(Virtualization method)
        {
            var (cpu, _, memory, _) = MiniVmmTests.Machine(method);
            memory.Write(Origin, [0xfa, 0x9c, 0x58, 0xf4]); // cli; pushf; pop ax; hlt
            cpu.Start(0, Origin);
            return (cpu.State[GeneralRegister.Ax] & CpuFlags.Interrupt) != 0;
        }
    }

    /// <summary>Raises its interrupt when its one register is written.</summary>
    private sealed class InterruptingDevice(VirtualCpu cpu) : IPortDevice
    {
        public byte ReadRegister(int register) => 0;

        public void WriteRegister(int register, byte value) => cpu.Request(Vector);
    }
}
