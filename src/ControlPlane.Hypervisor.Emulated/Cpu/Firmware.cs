using System.Text;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>
/// What a guest runs when it is switched on: set up the interrupt vectors and the serial port, print one line, let interrupts in and halt
/// until they come.
/// </summary>
internal static class Firmware
{
    /// <summary>Interrupt vectors with a handler; devices use the upper half.</summary>
    public const byte FirstVector = 0x20;
    public const byte LastVector = 0x5f;

    /// <summary>The first vector for message-signalled interrupts; below are the lines of the interrupt controller.</summary>
    public const byte FirstMessageVector = 0x30;

    /// <summary>COM1.</summary>
    public const ushort SerialPort = 0x3f8;

    private const ushort Origin = 0x7c00;
    private const ushort Stack = 0x7000;
    private const long ResetVector = 0xf_fff0;
    private const int MaxText = 200;

    /// <summary>Puts the firmware into memory and starts the processor at the reset vector.</summary>
    public static ActivityState Boot(VirtualCpu cpu, GuestMemory memory, string line)
    {
        memory.Write(Origin, Program(line, cpu.Virtualization == Virtualization.Paravirtual));
        // jmp 0000:7c00
        memory.Write(ResetVector, [0xea, Origin & 0xff, Origin >> 8, 0, 0]);
        return cpu.Start(0xf000, 0xfff0);
    }

    private static byte[] Program(string line, bool paravirtual)
    {
        var text = Encoding.ASCII.GetBytes(line.Length > MaxText ? line[..MaxText] : line);
        var program = new ProgramBuilder(Origin, paravirtual)
            .Bytes(0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0) // xor ax,ax; mov ds,ax; mov es,ax; mov ss,ax
            .Move(GeneralRegister.Sp, Stack)
            .Move(GeneralRegister.Di, FirstVector * 4)
            .Move(GeneralRegister.Cx, LastVector - FirstVector + 1)
            .Label("vector")
            .MoveAddress(GeneralRegister.Ax, "handler").Bytes(0xab) // stosw
            .Bytes(0x31, 0xc0, 0xab) // xor ax,ax; stosw
            .Loop("vector");
        if (paravirtual)
            program.MoveAddress(GeneralRegister.Si, "text").Move(GeneralRegister.Cx, (ushort)text.Length).Call(Hypercalls.ConsoleWrite);
        else
            PrintBySerialPort(program);
        return program
            .EnableInterrupts()
            .Label("idle").Halt().Jump("idle")
            .Label("handler")
            .Bytes(0x51).Move(GeneralRegister.Cx, VmxProcessor.EndOfInterruptMsr) // push cx
            .Bytes(paravirtual ? [0x59] : [0x0f, 0x30, 0x59]) // wrmsr; pop cx
            .InterruptReturn()
            .Label("text").Bytes(text).Bytes(0)
            .Build();
    }

    /// <summary>A driver for a 16550: 115200 baud, eight bits, FIFOs on, and each byte when the transmitter is empty.</summary>
    private static void PrintBySerialPort(ProgramBuilder program) => program
        .Out(SerialPort + 1, 0).Out(SerialPort + 3, 0x83).Out(SerialPort, 1).Out(SerialPort + 1, 0).Out(SerialPort + 3, 3)
        .Out(SerialPort + 2, 7).Out(SerialPort + 4, 0x0b)
        .MoveAddress(GeneralRegister.Si, "text")
        .Label("next").Bytes(0xac, 0x08, 0xc0) // lodsb; or al,al
        .JumpIfZero("printed")
        .Bytes(0x88, 0xc4) // mov ah,al
        .Move(GeneralRegister.Dx, SerialPort + 5)
        .Label("wait").Bytes(0xec, 0xa8, 0x20) // in al,dx; test al,20h
        .JumpIfZero("wait")
        .Bytes(0x88, 0xe0) // mov al,ah
        .Move(GeneralRegister.Dx, SerialPort).Bytes(0xee) // out dx,al
        .Jump("next")
        .Label("printed");
}
