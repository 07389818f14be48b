using System.Buffers.Binary;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>Decodes the 16-bit subset (Intel SDM volume 2, appendix A and table 2-1). Prefixes are not of it.</summary>
internal static class InstructionDecoder
{
    /// <summary>Opcode, ModR/M, 16-bit displacement, 16-bit immediate.</summary>
    public const int MaxBytes = 6;

    /// <param name="code">At least <see cref="MaxBytes"/> bytes, filled up with anything.</param>
    public static Instruction Decode(ReadOnlySpan<byte> code)
    {
        var opcode = code[0];
        return opcode switch
        {
            < 0x40 when (opcode & 7) < 6 => Arithmetic(code),
            0x06 or 0x0e or 0x16 or 0x1e => new(Operation.Push, 1, true, default, Segment(opcode >> 3)),
            0x07 or 0x17 or 0x1f => new(Operation.Pop, 1, true, Segment(opcode >> 3), default),
            0x0f => TwoBytes(code),
            >= 0x40 and < 0x60 => OneRegister(opcode),
            >= 0x70 and < 0x80 => new(Operation.JumpIf, 2, true, default, Relative8(code), (byte)(opcode & 0xf)),
            0x80 or 0x81 or 0x83 => ArithmeticImmediate(code),
            0x84 or 0x85 => WithModRm(Operation.Test, code, registerIsTarget: false),
            0x86 or 0x87 => WithModRm(Operation.Exchange, code, registerIsTarget: false),
            >= 0x88 and <= 0x8b => WithModRm(Operation.Move, code, registerIsTarget: (opcode & 2) != 0),
            0x8c or 0x8e => MoveSegment(code),
            0x90 => new(Operation.Nop, 1, false, default, default),
            >= 0xa0 and <= 0xa3 => MoveAccumulator(code),
            0xa8 => new(Operation.Test, 2, false, Operand.Register(0), Operand.Immediate(code[1])),
            0xa9 => new(Operation.Test, 3, true, Operand.Register(0), Operand.Immediate(Word(code[1..]))),
            0xaa or 0xab => new(Operation.StoreString, 1, (opcode & 1) != 0, default, default),
            0xac or 0xad => new(Operation.LoadString, 1, (opcode & 1) != 0, default, default),
            >= 0xb0 and < 0xb8 => new(Operation.Move, 2, false, Operand.Register(opcode & 7), Operand.Immediate(code[1])),
            >= 0xb8 and < 0xc0 => new(Operation.Move, 3, true, Operand.Register(opcode & 7), Operand.Immediate(Word(code[1..]))),
            0xc6 or 0xc7 => MoveImmediate(code),
            _ => ControlAndInput(code),
        };
    }

    private static Instruction ControlAndInput(ReadOnlySpan<byte> code) => code[0] switch
    {
        0x9c => Plain(Operation.PushFlags),
        0x9d => Plain(Operation.PopFlags),
        0xc3 => Plain(Operation.Return),
        0xcd => new(Operation.SoftwareInterrupt, 2, true, default, Operand.Immediate(code[1])),
        0xcf => Plain(Operation.InterruptReturn),
        0xe2 => new(Operation.Loop, 2, true, default, Relative8(code)),
        0xe4 or 0xe5 => new(Operation.In, 2, (code[0] & 1) != 0, Operand.Register(0), Operand.Immediate(code[1])),
        0xe6 or 0xe7 => new(Operation.Out, 2, (code[0] & 1) != 0, Operand.Immediate(code[1]), Operand.Register(0)),
        0xe8 => new(Operation.Call, 3, true, default, Operand.Immediate(Word(code[1..]))),
        0xe9 => new(Operation.Jump, 3, true, default, Operand.Immediate(Word(code[1..]))),
        0xea => new(Operation.JumpFar, 5, true, Operand.Immediate(Word(code[3..])), Operand.Immediate(Word(code[1..]))),
        0xeb => new(Operation.Jump, 2, true, default, Relative8(code)),
        0xec or 0xed => new(Operation.In, 1, (code[0] & 1) != 0, Operand.Register(0), Operand.Register((int)GeneralRegister.Dx)),
        0xee or 0xef => new(Operation.Out, 1, (code[0] & 1) != 0, Operand.Register((int)GeneralRegister.Dx), Operand.Register(0)),
        0xf4 => Plain(Operation.Halt),
        0xfa => Plain(Operation.DisableInterrupts),
        0xfb => Plain(Operation.EnableInterrupts),
        _ => Undefined,
    };

    private static Instruction Undefined => Plain(Operation.Undefined);

    private static Instruction Plain(Operation operation) => new(operation, 1, true, default, default);

    private static Operand Segment(int code) => new(OperandKind.Segment, (byte)(code & 3), 0);

    private static Operand Relative8(ReadOnlySpan<byte> code) => Operand.Immediate((ushort)(sbyte)code[1]);

    private static ushort Word(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadUInt16LittleEndian(bytes);

    private static Instruction TwoBytes(ReadOnlySpan<byte> code) => (code[1], code[2]) switch
    {
        (0x30, _) => new(Operation.WriteMsr, 2, true, default, default),
        (0xa2, _) => new(Operation.CpuId, 2, true, default, default),
        (0x01, 0xc1) => new(Operation.VmCall, 3, true, default, default),
        _ => Undefined,
    };

    private static Instruction OneRegister(byte opcode)
    {
        var register = Operand.Register(opcode & 7);
        return (opcode >> 3) switch
        {
            0x08 => new(Operation.Increment, 1, true, register, default),
            0x09 => new(Operation.Decrement, 1, true, register, default),
            0x0a => new(Operation.Push, 1, true, default, register),
            _ => new(Operation.Pop, 1, true, register, default),
        };
    }

    private static Operation Group(int number) => Operation.Add + (number & 7);

    private static Instruction Arithmetic(ReadOnlySpan<byte> code)
    {
        var operation = Group(code[0] >> 3);
        return (code[0] & 7) switch
        {
            4 => new(operation, 2, false, Operand.Register(0), Operand.Immediate(code[1])),
            5 => new(operation, 3, true, Operand.Register(0), Operand.Immediate(Word(code[1..]))),
            var form => WithModRm(operation, code, registerIsTarget: form >= 2),
        };
    }

    private static Instruction ArithmeticImmediate(ReadOnlySpan<byte> code)
    {
        var (place, length) = ModRm(code[1..]);
        var at = code[(1 + length)..];
        var (value, bytes) = code[0] switch
        {
            0x80 => (at[0], 1),
            0x83 => ((ushort)(sbyte)at[0], 1),
            _ => (Word(at), 2),
        };
        return new(Group(code[1] >> 3), (byte)(1 + length + bytes), (code[0] & 1) != 0, place, Operand.Immediate(value));
    }

    private static Instruction MoveImmediate(ReadOnlySpan<byte> code)
    {
        var (place, length) = ModRm(code[1..]);
        var wide = (code[0] & 1) != 0;
        var value = wide ? Word(code[(1 + length)..]) : code[1 + length];
        return (code[1] & 0x38) != 0
            ? Undefined
            : new(Operation.Move, (byte)(1 + length + (wide ? 2 : 1)), wide, place, Operand.Immediate(value));
    }

    private static Instruction MoveAccumulator(ReadOnlySpan<byte> code)
    {
        var memory = new Operand(OperandKind.Memory, Operand.PlainAddress, Word(code[1..]));
        var wide = (code[0] & 1) != 0;
        return (code[0] & 2) == 0
            ? new(Operation.Move, 3, wide, Operand.Register(0), memory)
            : new(Operation.Move, 3, wide, memory, Operand.Register(0));
    }

    private static Instruction MoveSegment(ReadOnlySpan<byte> code)
    {
        var (place, length) = ModRm(code[1..]);
        var segment = Segment(code[1] >> 3);
        // MOV CS is #UD, and FS and GS are not of the subset.
        if ((code[1] & 0x20) != 0 || (code[0] == 0x8e && segment.Code == (byte)SegmentRegister.Cs))
            return Undefined;
        return code[0] == 0x8e
            ? new(Operation.Move, (byte)(1 + length), true, segment, place)
            : new(Operation.Move, (byte)(1 + length), true, place, segment);
    }

    private static Instruction WithModRm(Operation operation, ReadOnlySpan<byte> code, bool registerIsTarget)
    {
        var (place, length) = ModRm(code[1..]);
        var register = Operand.Register((code[1] >> 3) & 7);
        var (target, source) = registerIsTarget ? (register, place) : (place, register);
        return new(operation, (byte)(1 + length), (code[0] & 1) != 0, target, source);
    }

    /// <summary>The operand that the byte's mod and r/m fields name, and how many bytes that took.</summary>
    private static (Operand Place, int Length) ModRm(ReadOnlySpan<byte> code)
    {
        var (mod, rm) = (code[0] >> 6, code[0] & 7);
        return (mod, rm) switch
        {
            (3, _) => (Operand.Register(rm), 1),
            (0, 6) => (new(OperandKind.Memory, Operand.PlainAddress, Word(code[1..])), 3),
            (0, _) => (new(OperandKind.Memory, (byte)rm, 0), 1),
            (1, _) => (new(OperandKind.Memory, (byte)rm, (ushort)(sbyte)code[1]), 2),
            _ => (new(OperandKind.Memory, (byte)rm, Word(code[1..])), 3),
        };
    }
}
