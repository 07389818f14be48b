namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>General registers in the order of their encoding (Intel SDM volume 2, table 3-1).</summary>
internal enum GeneralRegister
{
    Ax,
    Cx,
    Dx,
    Bx,
    Sp,
    Bp,
    Si,
    Di,
}

/// <summary>Segment registers in the order of their encoding.</summary>
internal enum SegmentRegister
{
    Es,
    Cs,
    Ss,
    Ds,
}

/// <summary>The registers of one processor, as a 16-bit program sees them.</summary>
internal sealed class CpuState
{
    private readonly ushort[] general = new ushort[8];
    private readonly ushort[] segments = new ushort[4];

    public ushort Ip { get; set; }

    public ushort Flags { get; set; } = CpuFlags.Fixed;

    /// <summary>STI and a load of SS hold interrupts off for one more instruction, so that <c>sti; hlt</c> has no gap.</summary>
    public bool BlockedBySti { get; set; }

    public ushort this[GeneralRegister register]
    {
        get => general[(int)register];
        set => general[(int)register] = value;
    }

    public ushort this[SegmentRegister register]
    {
        get => segments[(int)register];
        set => segments[(int)register] = value;
    }

    public bool InterruptFlag
    {
        get => Has(CpuFlags.Interrupt);
        set => Flags = (ushort)(value ? Flags | CpuFlags.Interrupt : Flags & ~CpuFlags.Interrupt);
    }

    public bool Has(ushort flag) => (Flags & flag) != 0;

    /// <summary>AL, CL, DL, BL, AH, CH, DH, BH by their encoding.</summary>
    public byte ReadByte(int encoding) =>
        encoding < 4 ? (byte)general[encoding] : (byte)(general[encoding - 4] >> 8);

    public void WriteByte(int encoding, byte value)
    {
        ref var register = ref general[encoding & 3];
        register = encoding < 4 ? (ushort)((register & 0xff00) | value) : (ushort)((register & 0x00ff) | (value << 8));
    }

    /// <summary>Where a segmented address lies: 20 bits, as with the A20 gate closed.</summary>
    public long Linear(SegmentRegister segment, ushort offset) => ((segments[(int)segment] << 4) + offset) & 0xf_ffff;

    public void CopyFrom(CpuState other)
    {
        other.general.CopyTo(general, 0);
        other.segments.CopyTo(segments, 0);
        (Ip, Flags, BlockedBySti) = (other.Ip, other.Flags, other.BlockedBySti);
    }
}
