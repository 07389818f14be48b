using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>
/// The processor's execution unit: fetches from guest memory, decodes, and carries out what is not sensitive. Sensitive instructions are for
/// those who run a guest to decide.
/// </summary>
internal sealed class Interpreter(CpuState state, GuestMemory memory)
{
    /// <summary>Where the last instruction stored to memory; -1: it did not.</summary>
    public long LastStore { get; private set; } = -1;

    public Instruction Fetch() => FetchAt(state.Linear(SegmentRegister.Cs, state.Ip));

    public Instruction FetchAt(long address)
    {
        Span<byte> code = stackalloc byte[InstructionDecoder.MaxBytes];
        code.Clear();
        memory.Read(address, code[..(int)Math.Min(code.Length, 0x10_0000 - address)]);
        return InstructionDecoder.Decode(code);
    }

    /// <summary>Carries out an instruction that is not sensitive. Relative jumps count from its end, so IP moves first.</summary>
    public void Execute(in Instruction instruction)
    {
        LastStore = -1;
        state.BlockedBySti = false;
        state.Ip += instruction.Length;
        switch (instruction.Operation)
        {
            case Operation.Move:
                Store(instruction.Target, instruction.IsWide, Load(instruction.Source, instruction.IsWide));
                break;
            case Operation.Exchange:
                var swapped = Load(instruction.Target, instruction.IsWide);
                Store(instruction.Target, instruction.IsWide, Load(instruction.Source, instruction.IsWide));
                Store(instruction.Source, instruction.IsWide, swapped);
                break;
            case >= Operation.Add and <= Operation.Test:
                Calculate(instruction);
                break;
            case Operation.Increment or Operation.Decrement:
                // INC and DEC leave the carry alone.
                var carry = state.Flags & CpuFlags.Carry;
                var step = instruction.Operation == Operation.Increment ? Operation.Add : Operation.Subtract;
                Store(instruction.Target, instruction.IsWide, Arithmetic.Calculate(step, Load(instruction.Target, true), 1, wide: true, state));
                state.Flags = (ushort)((state.Flags & ~CpuFlags.Carry) | carry);
                break;
            case Operation.Push:
                Push(Load(instruction.Source, wide: true));
                break;
            case Operation.Pop:
                Store(instruction.Target, wide: true, Pop());
                break;
            case Operation.LoadString or Operation.StoreString:
                MoveString(instruction);
                break;
            default:
                Branch(instruction);
                break;
        }
    }

    public void Push(ushort value)
    {
        state[GeneralRegister.Sp] -= 2;
        StoreMemory(state.Linear(SegmentRegister.Ss, state[GeneralRegister.Sp]), true, value);
    }

    public ushort Pop()
    {
        var value = LoadMemory(state.Linear(SegmentRegister.Ss, state[GeneralRegister.Sp]), true);
        state[GeneralRegister.Sp] += 2;
        return value;
    }

    /// <summary>Pushes a frame and goes to the handler that the guest's interrupt vector table names (Intel SDM volume 3, 21.1.4).</summary>
    public void Deliver(byte vector, ushort flags)
    {
        Push(flags);
        Push(state[SegmentRegister.Cs]);
        Push(state.Ip);
        state.Ip = LoadMemory(vector * 4, true);
        state[SegmentRegister.Cs] = LoadMemory((vector * 4) + 2, true);
        state.BlockedBySti = false;
    }

    /// <summary>Takes a frame back; the answer is the flags that it holds.</summary>
    public ushort Return()
    {
        state.Ip = Pop();
        state[SegmentRegister.Cs] = Pop();
        return Pop();
    }

    private void Calculate(in Instruction instruction)
    {
        var result = Arithmetic.Calculate(
            instruction.Operation, Load(instruction.Target, instruction.IsWide), Load(instruction.Source, instruction.IsWide), instruction.IsWide, state);
        if (instruction.Operation is not (Operation.Compare or Operation.Test))
            Store(instruction.Target, instruction.IsWide, result);
    }

    private void MoveString(in Instruction instruction)
    {
        var step = (ushort)(instruction.IsWide ? 2 : 1);
        if (instruction.Operation == Operation.LoadString)
        {
            Store(Operand.Register(0), instruction.IsWide, LoadMemory(state.Linear(SegmentRegister.Ds, state[GeneralRegister.Si]), instruction.IsWide));
            state[GeneralRegister.Si] += step;
        }
        else
        {
            StoreMemory(state.Linear(SegmentRegister.Es, state[GeneralRegister.Di]), instruction.IsWide, Load(Operand.Register(0), instruction.IsWide));
            state[GeneralRegister.Di] += step;
        }
    }

    private void Branch(in Instruction instruction)
    {
        switch (instruction.Operation)
        {
            case Operation.Nop:
                break;
            case Operation.JumpIf when !Arithmetic.Holds(instruction.Condition, state):
                break;
            case Operation.Loop when --state[GeneralRegister.Cx] == 0:
                break;
            case Operation.Jump or Operation.JumpIf or Operation.Loop:
                state.Ip += instruction.Source.Value;
                break;
            case Operation.Call:
                Push(state.Ip);
                state.Ip += instruction.Source.Value;
                break;
            case Operation.Return:
                state.Ip = Pop();
                break;
            case Operation.JumpFar:
                state[SegmentRegister.Cs] = instruction.Target.Value;
                state.Ip = instruction.Source.Value;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(instruction), instruction.Operation, "Not for the execution unit alone.");
        }
    }

    private ushort Load(Operand operand, bool wide) => operand.Kind switch
    {
        OperandKind.Immediate => operand.Value,
        OperandKind.Register => wide ? state[(GeneralRegister)operand.Code] : state.ReadByte(operand.Code),
        OperandKind.Segment => state[(SegmentRegister)operand.Code],
        _ => LoadMemory(AddressOf(operand), wide),
    };

    private void Store(Operand operand, bool wide, ushort value)
    {
        if (operand.Kind == OperandKind.Memory)
            StoreMemory(AddressOf(operand), wide, value);
        else if (operand.Kind == OperandKind.Segment)
            state[(SegmentRegister)operand.Code] = value;
        else if (wide)
            state[(GeneralRegister)operand.Code] = value;
        else
            state.WriteByte(operand.Code, (byte)value);
    }

    /// <summary>16-bit addressing forms; those with BP count from the stack segment.</summary>
    private long AddressOf(Operand operand)
    {
        var (bx, bp, si, di) = (state[GeneralRegister.Bx], state[GeneralRegister.Bp], state[GeneralRegister.Si], state[GeneralRegister.Di]);
        var offset = operand.Code switch
        {
            0 => bx + si,
            1 => bx + di,
            2 => bp + si,
            3 => bp + di,
            4 => si,
            5 => di,
            6 => bp,
            7 => bx,
            _ => 0,
        };
        var segment = operand.Code is 2 or 3 or 6 ? SegmentRegister.Ss : SegmentRegister.Ds;
        return state.Linear(segment, (ushort)(offset + operand.Value));
    }

    private ushort LoadMemory(long address, bool wide)
    {
        Span<byte> bytes = stackalloc byte[2];
        bytes.Clear();
        memory.Read(address, bytes[..LengthAt(address, wide)]);
        return BinaryPrimitives.ReadUInt16LittleEndian(bytes);
    }

    private void StoreMemory(long address, bool wide, ushort value)
    {
        Span<byte> bytes = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, value);
        memory.Write(address, bytes[..LengthAt(address, wide)]);
        LastStore = address;
    }

    private static int LengthAt(long address, bool wide) => wide && address < 0xf_ffff ? 2 : 1;
}
