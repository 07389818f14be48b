namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>
/// A small assembler for programs that run in guests. For a paravirtual guest the privileged operations become hypercalls and stores to the
/// shared page, as if its kernel had been ported; those sequences use AX.
/// </summary>
internal sealed class ProgramBuilder(ushort origin, bool paravirtual = false)
{
    private readonly List<byte> code = [];
    private readonly Dictionary<string, ushort> labels = [];
    private readonly List<(int At, string Label, bool IsRelative)> fixups = [];

    public ProgramBuilder Bytes(params ReadOnlySpan<byte> bytes)
    {
        code.AddRange(bytes);
        return this;
    }

    public ProgramBuilder Label(string name)
    {
        labels[name] = (ushort)(origin + code.Count);
        return this;
    }

    public ProgramBuilder Move(GeneralRegister register, ushort value) => Bytes((byte)(0xb8 + (int)register), (byte)value, (byte)(value >> 8));

    /// <summary>The address of a label into a register.</summary>
    public ProgramBuilder MoveAddress(GeneralRegister register, string label)
    {
        fixups.Add((code.Count + 1, label, false));
        return Move(register, 0);
    }

    public ProgramBuilder Jump(string label) => Relative(0xeb, label);

    public ProgramBuilder Loop(string label) => Relative(0xe2, label);

    public ProgramBuilder JumpIfZero(string label) => Relative(0x74, label);

    /// <summary>A byte to a port, by DX.</summary>
    public ProgramBuilder Out(ushort port, byte value) => Move(GeneralRegister.Dx, port).Bytes(0xb0, value, 0xee);

    public ProgramBuilder EnableInterrupts() => paravirtual ? SetSharedFlag(1) : Bytes(0xfb);

    public ProgramBuilder DisableInterrupts() => paravirtual ? SetSharedFlag(0) : Bytes(0xfa);

    public ProgramBuilder SaveFlags() => paravirtual ? Bytes(0xa0, Low, High, 0x50) : Bytes(0x9c);

    public ProgramBuilder RestoreFlags() => paravirtual ? Bytes(0x58, 0xa2, Low, High) : Bytes(0x9d);

    public ProgramBuilder Halt() => paravirtual ? Call(Hypercalls.Block) : Bytes(0xf4);

    public ProgramBuilder InterruptReturn() => paravirtual ? Bytes(0x50).Call(Hypercalls.InterruptReturn) : Bytes(0xcf);

    public ProgramBuilder Call(ushort hypercall) => Move(GeneralRegister.Ax, hypercall).Bytes(0x0f, 0x01, 0xc1);

    public byte[] Build()
    {
        var bytes = code.ToArray();
        foreach (var (at, label, isRelative) in fixups)
        {
            var target = labels[label];
            if (isRelative)
            {
                bytes[at] = (byte)checked((sbyte)(target - (origin + at + 1)));
            }
            else
            {
                bytes[at] = (byte)target;
                bytes[at + 1] = (byte)(target >> 8);
            }
        }
        return bytes;
    }

    private static byte Low => Paravirtual.SharedFlag & 0xff;

    private static byte High => Paravirtual.SharedFlag >> 8;

    private ProgramBuilder SetSharedFlag(byte value) => Bytes(0xc6, 0x06, Low, High, value);

    private ProgramBuilder Relative(byte opcode, string label)
    {
        fixups.Add((code.Count + 1, label, true));
        return Bytes(opcode, 0);
    }
}
