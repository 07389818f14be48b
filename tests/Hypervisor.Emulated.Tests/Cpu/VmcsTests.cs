using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;

namespace ControlPlane.Hypervisor.Emulated.Tests.Cpu;

/// <summary>VM entries are checked, and exits say why, where and with what.</summary>
public sealed class VmcsTests
{
    private const ushort Origin = 0x1000;

    private static (VirtualCpu Cpu, VmxProcessor Processor, Vmcs Vmcs) Ready(params byte[] code)
    {
        var (cpu, _, memory, _) = MiniVmmTests.Machine(Virtualization.Hardware);
        memory.Write(Origin, code);
        var vmcs = new Vmcs();
        vmcs.Guest.Rip = Origin;
        vmcs.Guest.Rsp = 0x800;
        vmcs.Controls.PreemptionTimer = 100;
        return (cpu, new VmxProcessor(cpu, new Interpreter(cpu.State, memory)), vmcs);
    }

    [Fact]
    public void An_IO_exit_names_port_direction_and_instruction_length_and_leaves_the_guest_at_the_instruction()
    {
        var (_, processor, vmcs) = Ready(0x90, 0xe4, 0x60); // nop; in al,60h

        var exit = processor.Enter(vmcs, resume: false);

        Assert.Equal(exit, vmcs.LastExit);
        Assert.Equal((ExitReason.IoInstruction, (ushort)0x60, true, 2), (exit!.Value.Reason, exit.Value.Port, exit.Value.IsInput, exit.Value.InstructionLength));
        Assert.Equal((Origin + 1, true), (vmcs.Guest.Rip, vmcs.IsLaunched));
    }

    [Fact]
    public void Launching_twice_and_resuming_what_was_not_launched_are_refused()
    {
        var (_, processor, vmcs) = Ready(0xf4);
        Assert.Null(processor.Enter(vmcs, resume: true));
        Assert.Equal(VmInstructionError.ResumeOfNotLaunched, vmcs.Error);
        Assert.NotNull(processor.Enter(vmcs, resume: false));

        Assert.Null(processor.Enter(vmcs, resume: false));

        Assert.Equal((VmInstructionError.LaunchOfLaunched, 1), (vmcs.Error, processor.Entries));
    }

    public static TheoryData<string, int> WrongSettings => new()
    {
        { "unrestricted guest without EPT", (int)VmInstructionError.InvalidControls },
        { "posted interrupts without virtual delivery", (int)VmInstructionError.InvalidControls },
        { "virtual delivery without external-interrupt exiting", (int)VmInstructionError.InvalidControls },
        { "host code selector 0", (int)VmInstructionError.InvalidHostState },
        { "host task selector of ring 3", (int)VmInstructionError.InvalidHostState },
        { "host address not canonical", (int)VmInstructionError.InvalidHostState },
    };

    [Theory]
    [MemberData(nameof(WrongSettings))]
    public void Controls_and_host_state_that_are_wrong_refuse_the_entry(string setting, int error)
    {
        var (_, processor, vmcs) = Ready(0xf4);
        Spoil(vmcs, setting);

        Assert.Null(processor.Enter(vmcs, resume: false));

        Assert.Equal(((VmInstructionError)error, 0, false), (vmcs.Error, processor.Entries, vmcs.IsLaunched));
    }

    [Theory]
    [InlineData("flags without bit 1")]
    [InlineData("an interrupt injected while interrupts are off")]
    [InlineData("blocked by STI while interrupts are off")]
    [InlineData("a linked structure that is none")]
    public void Guest_state_that_is_wrong_is_an_exit_with_the_entry_failure_bit_and_no_instruction_runs(string setting)
    {
        var (cpu, processor, vmcs) = Ready(0xf4);
        Spoil(vmcs, setting);

        var exit = processor.Enter(vmcs, resume: false);

        Assert.Equal((ExitReason.InvalidGuestState, true), (exit!.Value.Reason, exit.Value.IsEntryFailure));
        Assert.Equal((0, 0), (cpu.Instructions, processor.Entries));
    }

    [Fact]
    public void An_interrupt_that_the_guest_cannot_take_yet_waits_for_the_interrupt_window()
    {
        var (cpu, console, memory, exits) = MiniVmmTests.Machine(Virtualization.Hardware);
        (cpu.Vmcs!.Controls.VirtualInterruptDelivery, cpu.Vmcs.Controls.ProcessPostedInterrupts) = (false, false);
        memory.Write(0x40 * 4, [0x00, 0x20, 0x00, 0x00]);
        memory.Write(0x2000, new ProgramBuilder(0x2000).Out(Firmware.SerialPort, (byte)'!').InterruptReturn().Build());
        memory.Write(Origin, new ProgramBuilder(Origin).Out(0x80, 0).Bytes(0x90, 0xfb, 0x90, 0x90).Out(Firmware.SerialPort, (byte)'.').Halt().Build());
        cpu.Ports.Map(0x80, 1, new Requester(cpu));

        cpu.Start(0, Origin);

        Assert.Equal("!.", console.Text);
        Assert.Equal((1, 1), (exits[ExitReason.InterruptWindow], cpu.DeliveredInterrupts));
    }

    private static void Spoil(Vmcs vmcs, string setting)
    {
        switch (setting)
        {
            case "unrestricted guest without EPT": vmcs.Controls.EnableEpt = false; break;
            case "posted interrupts without virtual delivery": vmcs.Controls.ProcessPostedInterrupts = true; break;
            case "virtual delivery without external-interrupt exiting": (vmcs.Controls.VirtualInterruptDelivery, vmcs.Controls.ExternalInterruptExiting) = (true, false); break;
            case "host code selector 0": vmcs.Host.CodeSelector = 0; break;
            case "host task selector of ring 3": vmcs.Host.TaskSelector = 0x43; break;
            case "host address not canonical": vmcs.Host.Rip = 0x0080_0000_0000_0000; break;
            case "flags without bit 1": vmcs.Guest.Rflags = 0; break;
            case "an interrupt injected while interrupts are off": vmcs.Controls.Inject = 0x40; break;
            case "blocked by STI while interrupts are off": vmcs.Guest.BlockedBySti = true; break;
            case "a linked structure that is none": vmcs.Guest.LinkPointer = 0x1000; break;
            default: throw new ArgumentOutOfRangeException(nameof(setting), setting, "Unknown.");
        }
    }

    private sealed class Requester(VirtualCpu cpu) : IPortDevice
    {
        public byte ReadRegister(int register) => 0;

        public void WriteRegister(int register, byte value) => cpu.Request(0x40);
    }
}
