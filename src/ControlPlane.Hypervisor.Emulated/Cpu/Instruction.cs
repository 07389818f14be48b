namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>What an instruction does, operands aside.</summary>
internal enum Operation
{
    /// <summary>Bytes that are no instruction of the subset: #UD.</summary>
    Undefined,
    Nop,
    Move,
    Exchange,

    // The eight operations of the arithmetic group, in the order of their encoding.
    Add,
    Or,
    AddWithCarry,
    SubtractWithBorrow,
    And,
    Subtract,
    Xor,
    Compare,
    Test,
    Increment,
    Decrement,
    Push,
    Pop,
    Jump,
    JumpIf,
    JumpFar,
    Loop,
    Call,
    Return,
    LoadString,
    StoreString,

    // From here on the instruction is sensitive (Popek and Goldberg): what it does depends on, or changes, what the VMM must control.
    DisableInterrupts,
    EnableInterrupts,
    PushFlags,
    PopFlags,
    SoftwareInterrupt,
    InterruptReturn,
    Halt,
    In,
    Out,
    CpuId,
    WriteMsr,
    VmCall,
}

internal enum OperandKind
{
    None,
    Register,
    Segment,
    Memory,
    Immediate,
}

/// <summary>Where an instruction takes a value from or puts it.</summary>
/// <param name="Code">Register or segment by its encoding; of memory the base and index (the ModR/M byte's r/m, 8: a plain address).</param>
/// <param name="Value">An immediate value or a displacement.</param>
internal readonly record struct Operand(OperandKind Kind, byte Code, ushort Value)
{
    public const byte PlainAddress = 8;

    public static Operand Register(int code) => new(OperandKind.Register, (byte)code, 0);

    public static Operand Immediate(ushort value) => new(OperandKind.Immediate, 0, value);
}

/// <summary>One decoded instruction.</summary>
/// <param name="IsWide">Works on 16 bits rather than 8.</param>
/// <param name="Length">In bytes.</param>
/// <param name="Condition">Of a conditional jump: the low four bits of its opcode.</param>
internal readonly record struct Instruction(Operation Operation, byte Length, bool IsWide, Operand Target, Operand Source, byte Condition = 0)
{
    public bool IsSensitive => Operation >= Operation.DisableInterrupts;

    /// <summary>Nothing after it is sure to be executed next: a translated block ends here.</summary>
    public bool EndsBlock => Operation is Operation.Jump or Operation.JumpIf or Operation.JumpFar or Operation.Loop or Operation.Call
        or Operation.Return or Operation.SoftwareInterrupt or Operation.InterruptReturn or Operation.Halt or Operation.VmCall or Operation.Undefined;
}
