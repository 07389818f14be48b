namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>Bits of the FLAGS register (Intel SDM volume 1, 3.4.3).</summary>
internal static class CpuFlags
{
    public const ushort Carry = 0x0001;

    /// <summary>Bit 1 reads as one, always.</summary>
    public const ushort Fixed = 0x0002;
    public const ushort Zero = 0x0040;
    public const ushort Sign = 0x0080;
    public const ushort Interrupt = 0x0200;
    public const ushort Overflow = 0x0800;

    /// <summary>I/O privilege level: a less privileged program may not touch IF, nor ports.</summary>
    public const ushort IoPrivilege = 0x3000;

    /// <summary>What POPF changes at the highest privilege.</summary>
    public const ushort Writable = Carry | Zero | Sign | Interrupt | Overflow | IoPrivilege;
}
