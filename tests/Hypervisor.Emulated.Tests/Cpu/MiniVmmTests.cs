using System.Text;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Tests.Cpu;

/// <summary>Programs run from guest memory, byte by byte, under each way of running a kernel.</summary>
public sealed class MiniVmmTests
{
    private const ushort Origin = 0x1000;

    internal static (VirtualCpu Cpu, SerialConsole Console, GuestMemory Memory, ExitCounters Exits) Machine(Virtualization virtualization)
    {
        var (memory, exits, console) = (new GuestMemory(1 << 20), new ExitCounters(), new SerialConsole());
        var cpu = new VirtualCpu(memory, new PortMap(), exits, virtualization) { Trace = [] };
        console.ConnectTo(cpu);
        cpu.State[GeneralRegister.Sp] = 0x800;
        return (cpu, console, memory, exits);
    }

    [Fact] // The example of "Using the KVM API" (LWN 658511): add two registers, print the digit and a newline, halt.
    public void Adding_two_registers_prints_the_digit_and_exits_for_IO_IO_and_HLT()
    {
        byte[] code =
        [
            0xba, 0xf8, 0x03, // mov dx, 0x3f8
            0x00, 0xd8, // add al, bl
            0x04, (byte)'0', // add al, '0'
            0xee, // out dx, al
            0xb0, (byte)'\n', // mov al, '\n'
            0xee, // out dx, al
            0xf4, // hlt
        ];
        var (cpu, console, memory, exits) = Machine(Virtualization.Hardware);
        memory.Write(Origin, code);
        (cpu.State[GeneralRegister.Ax], cpu.State[GeneralRegister.Bx]) = (2, 2);

        Assert.Equal(ActivityState.Halted, cpu.Start(0, Origin));

        Assert.Equal("4\n", console.Text);
        Assert.Equal([ExitReason.IoInstruction, ExitReason.IoInstruction, ExitReason.Hlt], cpu.Trace!);
        Assert.Equal((3, 2), (exits.Total, exits[ExitReason.IoInstruction]));
        Assert.Equal((ushort)(Origin + code.Length), cpu.Vmcs!.Guest.Rip);
        Assert.Equal(7, cpu.Instructions);
    }

    [Theory]
    [InlineData(nameof(Virtualization.BinaryTranslation))]
    [InlineData(nameof(Virtualization.TrapAndEmulate))]
    [InlineData(nameof(Virtualization.Paravirtual))]
    public void The_same_program_prints_the_same_without_hardware(string virtualization)
    {
        var (cpu, console, memory, _) = Machine(Enum.Parse<Virtualization>(virtualization));
        memory.Write(Origin, [0xba, 0xf8, 0x03, 0x00, 0xd8, 0x04, 0x30, 0xee, 0xb0, 0x0a, 0xee, 0xf4]);
        (cpu.State[GeneralRegister.Ax], cpu.State[GeneralRegister.Bx]) = (2, 2);

        Assert.Equal(ActivityState.Halted, cpu.Start(0, Origin));

        Assert.Equal("4\n", console.Text);
        Assert.Equal([ExitReason.IoInstruction, ExitReason.IoInstruction, ExitReason.Hlt], cpu.Trace!);
    }

    public static TheoryData<string> Methods => [.. Enum.GetNames<Virtualization>()];

    [Theory]
    [MemberData(nameof(Methods))]
    public void Loops_stacks_memory_and_software_interrupts_work_alike(string virtualization)
    {
        var method = Enum.Parse<Virtualization>(virtualization);
        var (cpu, console, memory, _) = Machine(method);
        // Vector 40h adds one to the byte at [600h]; the program calls it five times, pushes and pops the result, and prints it as a letter.
        memory.Write(0x40 * 4, [0x00, 0x20, 0x00, 0x00]);
        memory.Write(0x2000, new ProgramBuilder(0x2000, method == Virtualization.Paravirtual).Bytes(0x80, 0x06, 0x00, 0x06, 0x01).InterruptReturn().Build());
        var program = new ProgramBuilder(Origin)
            .Move(GeneralRegister.Cx, 5)
            .Label("again").Bytes(0xcd, 0x40).Loop("again")
            .Bytes(0xa0, 0x00, 0x06) // mov al,[600h]
            .Bytes(0x50, 0xb0, 0x00, 0x5b) // push ax; mov al,0; pop bx
            .Bytes(0x80, 0xc3, (byte)'A' - 1) // add bl,'A'-1
            .Bytes(0x88, 0xd8) // mov al,bl
            .Move(GeneralRegister.Dx, Firmware.SerialPort).Bytes(0xee, 0xf4)
            .Build();
        memory.Write(Origin, program);

        Assert.Equal(ActivityState.Halted, cpu.Start(0, Origin));

        Assert.Equal("E", console.Text);
        Assert.Equal(0x800, cpu.State[GeneralRegister.Sp]);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void Bytes_that_are_no_instruction_end_the_guest(string virtualization)
    {
        var (cpu, _, memory, exits) = Machine(Enum.Parse<Virtualization>(virtualization));
        memory.Write(Origin, [0x90, 0xd6]);

        Assert.Equal(ActivityState.Shutdown, cpu.Start(0, Origin));

        Assert.Equal(1, exits[ExitReason.TripleFault]);
    }

    [Theory]
    [MemberData(nameof(Methods))]
    public void A_guest_that_never_halts_gives_the_CPU_back(string virtualization)
    {
        var (cpu, _, memory, exits) = Machine(Enum.Parse<Virtualization>(virtualization));
        memory.Write(Origin, [0xeb, 0xfe]); // jmp $

        Assert.Equal(ActivityState.Active, cpu.Start(0, Origin));

        Assert.Equal((1, VirtualCpu.Slice), (exits[ExitReason.Preemption], cpu.Instructions));
    }

    [Fact]
    public void Translated_code_that_is_written_over_is_translated_anew()
    {
        var (cpu, console, memory, _) = Machine(Virtualization.BinaryTranslation);
        // Prints 'a', changes its own immediate to 'b', and goes around once more.
        memory.Write(Origin, new ProgramBuilder(Origin)
            .Move(GeneralRegister.Cx, 2).Move(GeneralRegister.Dx, Firmware.SerialPort)
            .Label("again").Bytes(0xb0, (byte)'a', 0xee)
            .Bytes(0xc6, 0x06, (Origin + 7) & 0xff, (Origin + 7) >> 8, (byte)'b')
            .Loop("again").Bytes(0xf4).Build());

        cpu.Start(0, Origin);

        Assert.Equal("ab", console.Text);
        Assert.Equal(2, Count(cpu, "translation-invalidations"));
    }

    [Fact]
    public void Translated_blocks_are_kept_and_run_again()
    {
        var (cpu, _, memory, _) = Machine(Virtualization.BinaryTranslation);
        memory.Write(Origin, new ProgramBuilder(Origin).Move(GeneralRegister.Cx, 1000).Label("again").Bytes(0x90).Loop("again").Bytes(0xf4).Build());

        cpu.Start(0, Origin);

        // The way in, the loop's body, and the way out.
        Assert.Equal((3, 998), (Count(cpu, "translated-blocks"), Count(cpu, "translation-cache-hits")));
        Assert.Equal(2002, cpu.Instructions);
    }

    internal static long Count(ICounting counting, string name)
    {
        var sheet = new CounterSheet();
        counting.CountInto(sheet);
        return sheet.ToGroups().SelectMany(g => g.Counters).Single(c => c.Name == name).Value;
    }
}
