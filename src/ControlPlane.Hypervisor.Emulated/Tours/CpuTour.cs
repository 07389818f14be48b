using System.Text.Json;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>Three programs under each way of running a kernel: the adder, a critical section by popf, and the firmware's boot with 1,000 interrupts.</summary>
internal sealed class CpuTour : ITour
{
    private const ushort Origin = 0x1000;
    private const byte Vector = 0x40;
    private const int Interrupts = 1000;

    public string Name => "cpu";

    public string Summary => "A guest's instructions, why its CPU exits, and four ways of keeping its kernel in check";

    public void Run(TextWriter output)
    {
        Add(output);
        output.WriteLine($"A kernel switches interrupts off by popf, prints '[', is interrupted ('!'), prints ']'. Then the firmware boots and takes {Interrupts:#,0} interrupts.");
        output.WriteLine();
        var table = new TourTable("kernel runs by", "popf", "exits of the boot", "exits per interrupt", "instructions", "cycles charged");
        foreach (var method in Enum.GetValues<Virtualization>())
            table.Add(Row(method));
        table.WriteTo(output);
    }

    /// <summary>The example of the Linux KVM API: two registers are added and the digit printed.</summary>
    private static void Add(TextWriter output)
    {
        var (cpu, console, memory) = Machine(Virtualization.Hardware);
        memory.Write(Origin, [0xba, 0xf8, 0x03, 0x00, 0xd8, 0x04, 0x30, 0xee, 0xb0, 0x0a, 0xee, 0xf4]);
        (cpu.State[GeneralRegister.Ax], cpu.State[GeneralRegister.Bx]) = (2, 2);
        cpu.Start(0, Origin);
        var exits = string.Join(", ", cpu.Trace!.Select(r => JsonNamingPolicy.KebabCaseLower.ConvertName(r.ToString())));
        output.WriteLine("mov dx,3f8h; add al,bl; add al,'0'; out dx,al; mov al,'\\n'; out dx,al; hlt   with AL = BL = 2");
        output.WriteLine($"prints {JsonSerializer.Serialize(console.Text)} and exits for: {exits}");
        output.WriteLine();
    }

    private static object[] Row(Virtualization method)
    {
        var critical = CriticalSection(method);
        var (cpu, _, memory) = Machine(method);
        cpu.IsBusy = true;
        Firmware.Boot(cpu, memory, "guest-1: 1 vCPU, 1 MiB\n");
        var boot = cpu.Trace!.Count;
        for (var i = 0; i < Interrupts; i++)
            cpu.Interrupt(Firmware.FirstMessageVector, posted: method == Virtualization.Hardware);
        var perInterrupt = (cpu.Trace.Count - boot) / (double)Interrupts;
        return
        [
            JsonNamingPolicy.KebabCaseLower.ConvertName(method.ToString()), critical == "[]!" ? "kept: []!" : $"lost: {critical}", boot, perInterrupt,
            cpu.Instructions, cpu.Cycles,
        ];
    }

    private static string CriticalSection(Virtualization method)
    {
        var paravirtual = method == Virtualization.Paravirtual;
        var (cpu, console, memory) = Machine(method);
        cpu.Ports.Map(0x80, 1, new InterruptingDevice(cpu));
        memory.Write(Vector * 4, [0x00, 0x20, 0x00, 0x00]);
        memory.Write(
            0x2000, new ProgramBuilder(0x2000, paravirtual).Bytes(0x50).Out(Firmware.SerialPort, (byte)'!').Bytes(0x58).InterruptReturn().Build());
        var program = new ProgramBuilder(Origin, paravirtual).EnableInterrupts().Bytes(0x90).SaveFlags();
        // pop ax; clear the saved interrupt flag; push ax
        program.Bytes(paravirtual ? [0x58, 0xb0, 0x00, 0x50] : [0x58, 0x25, 0xff, 0xfd, 0x50]);
        memory.Write(Origin, program.RestoreFlags()
            .Out(Firmware.SerialPort, (byte)'[').Out(0x80, 0).Bytes(0x90).Out(Firmware.SerialPort, (byte)']')
            .EnableInterrupts().Bytes(0x90).DisableInterrupts().Bytes(0xf4).Build());
        cpu.Start(0, Origin);
        return console.Text;
    }

    private static (VirtualCpu Cpu, SerialConsole Console, GuestMemory Memory) Machine(Virtualization method)
    {
        var (memory, console) = (new GuestMemory(1 << 20), new SerialConsole());
        var cpu = new VirtualCpu(memory, new PortMap(), new ExitCounters(), method) { Trace = [] };
        console.ConnectTo(cpu);
        cpu.State[GeneralRegister.Sp] = 0x800;
        return (cpu, console, memory);
    }

    /// <summary>Asks for its interrupt when its register is written.</summary>
    private sealed class InterruptingDevice(VirtualCpu cpu) : IPortDevice
    {
        public byte ReadRegister(int register) => 0;

        public void WriteRegister(int register, byte value) => cpu.Request(Vector);
    }
}
