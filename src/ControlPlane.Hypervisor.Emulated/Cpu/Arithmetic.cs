namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>The arithmetic group and the conditions that follow from its flags. Parity and auxiliary carry are not of the subset.</summary>
internal static class Arithmetic
{
    public static ushort Calculate(Operation operation, ushort left, ushort right, bool wide, CpuState state)
    {
        var (mask, sign) = wide ? (0xffff, 0x8000) : (0xff, 0x80);
        int a = left & mask, b = right & mask;
        var carryIn = state.Has(CpuFlags.Carry) ? 1 : 0;
        var result = operation switch
        {
            Operation.Add => a + b,
            Operation.AddWithCarry => a + b + carryIn,
            Operation.Subtract or Operation.Compare => a - b,
            Operation.SubtractWithBorrow => a - b - carryIn,
            Operation.And or Operation.Test => a & b,
            Operation.Or => a | b,
            _ => a ^ b,
        };
        var overflow = operation switch
        {
            Operation.Add or Operation.AddWithCarry => ~(a ^ b) & (a ^ result) & sign,
            Operation.Subtract or Operation.Compare or Operation.SubtractWithBorrow => (a ^ b) & (a ^ result) & sign,
            _ => 0,
        };
        var flags = state.Flags & ~(CpuFlags.Carry | CpuFlags.Zero | CpuFlags.Sign | CpuFlags.Overflow);
        if ((result & ~mask) != 0)
            flags |= CpuFlags.Carry;
        if ((result & mask) == 0)
            flags |= CpuFlags.Zero;
        if ((result & sign) != 0)
            flags |= CpuFlags.Sign;
        if (overflow != 0)
            flags |= CpuFlags.Overflow;
        state.Flags = (ushort)flags;
        return (ushort)(result & mask);
    }

    /// <summary>Whether a conditional jump is taken; each odd code is the opposite of the one before.</summary>
    public static bool Holds(byte condition, CpuState state)
    {
        var less = state.Has(CpuFlags.Sign) != state.Has(CpuFlags.Overflow);
        var holds = (condition >> 1) switch
        {
            0 => state.Has(CpuFlags.Overflow),
            1 => state.Has(CpuFlags.Carry),
            2 => state.Has(CpuFlags.Zero),
            3 => state.Has(CpuFlags.Carry) || state.Has(CpuFlags.Zero),
            4 => state.Has(CpuFlags.Sign),
            6 => less,
            7 => less || state.Has(CpuFlags.Zero),
            _ => false,
        };
        return holds != ((condition & 1) != 0);
    }
}
