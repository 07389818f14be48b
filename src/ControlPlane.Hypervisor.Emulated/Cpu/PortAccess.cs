namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>What every VMM does for its guests alike, however they came to ask.</summary>
internal static class PortAccess
{
    public static void Carry(VirtualCpu cpu, ushort port, bool isInput, bool isWide)
    {
        if (isInput)
        {
            cpu.State.WriteByte(0, cpu.Ports.Read(port));
            if (isWide)
                cpu.State.WriteByte(4, cpu.Ports.Read(port + 1));
            return;
        }
        cpu.Ports.Write(port, cpu.State.ReadByte(0));
        if (isWide)
            cpu.Ports.Write(port + 1, cpu.State.ReadByte(4));
    }

    public static ushort PortOf(in Instruction io, CpuState state)
    {
        var operand = io.Operation == Operation.In ? io.Source : io.Target;
        return operand.Kind == OperandKind.Immediate ? operand.Value : state[GeneralRegister.Dx];
    }

    /// <summary>CPUID as far as 16 bits go: whatever leaf was asked for, the highest one is 0.</summary>
    public static void Identify(CpuState state)
    {
        state[GeneralRegister.Ax] = 0;
        (state[GeneralRegister.Bx], state[GeneralRegister.Dx], state[GeneralRegister.Cx]) = (0x6d45, 0x6c75, 0x7461); // "Em", "ul", "at"
    }
}
