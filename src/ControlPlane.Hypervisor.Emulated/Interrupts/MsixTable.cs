using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Interrupts;

/// <summary>
/// A function's MSI-X table and pending bits in its memory space, and the two control bits of the capability (PCI Express base specification
/// 6.1.4 and 7.7.2). What is signalled while it is masked is kept as a pending bit and sent when the mask goes.
/// </summary>
/// <param name="send">The message itself: a write of 32 bits to memory.</param>
internal sealed class MsixTable(EmulatedFunction function, int vectors, Func<long, uint, bool> send) : ICounting
{
    public const int EntryBytes = 16;

    private const int VectorControl = 12;
    private const uint MaskBit = 1;

    private readonly uint[] registers = Masked(vectors);
    private readonly ulong[] pending = new ulong[(vectors + 63) / 64];

    public int Vectors => vectors;

    /// <summary>Messages that waited for their mask.</summary>
    public long PendedMessages { get; private set; }

    public long SentMessages { get; private set; }

    public bool IsEnabled => (Control & 0x8000) != 0;

    public bool IsFunctionMasked => (Control & 0x4000) != 0;

    public bool IsPending(int vector) => (pending[vector >> 6] & (1UL << (vector & 63))) != 0;

    public bool IsMasked(int vector) => (registers[Word(vector, VectorControl)] & MaskBit) != 0;

    /// <summary>A register of the table: message address, upper address, data and vector control of each entry.</summary>
    public uint Read(int offset) => registers[offset / sizeof(uint)];

    public void Write(int offset, uint value)
    {
        registers[offset / sizeof(uint)] = value;
        if (offset % EntryBytes == VectorControl)
            SendPending(offset / EntryBytes);
    }

    /// <summary>Enables the capability or masks the function as a whole.</summary>
    public void WriteControl(bool enable, bool maskAll)
    {
        if (function.Config.Capabilities.Msix is var at && at != 0)
            function.Config.Write(at + PciRegisters.MsixControl, 2, (enable ? 0x8000u : 0) | (maskAll ? 0x4000u : 0));
        for (var vector = 0; vector < vectors; vector++)
            SendPending(vector);
    }

    /// <summary>The function has an event of this vector. False: the capability is off, or the message was blocked on its way.</summary>
    public bool Signal(int vector)
    {
        if (!IsEnabled)
            return false;
        if (IsFunctionMasked || IsMasked(vector))
        {
            pending[vector >> 6] |= 1UL << (vector & 63);
            PendedMessages++;
            return true;
        }
        return Send(vector);
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("msix", "sent-messages", SentMessages);
        sheet.Add("msix", "pended-messages", PendedMessages);
    }

    private uint Control => function.Config.Capabilities.Msix is var at && at != 0 ? function.Config.Read(at + PciRegisters.MsixControl, 2) : 0;

    private void SendPending(int vector)
    {
        if (!IsPending(vector) || !IsEnabled || IsFunctionMasked || IsMasked(vector))
            return;
        pending[vector >> 6] &= ~(1UL << (vector & 63));
        Send(vector);
    }

    private bool Send(int vector)
    {
        SentMessages++;
        var address = registers[Word(vector, 0)] | ((long)registers[Word(vector, 4)] << 32);
        return send(address, registers[Word(vector, 8)]);
    }

    private static int Word(int vector, int offset) => ((vector * EntryBytes) + offset) / sizeof(uint);

    /// <summary>After a reset each entry is masked.</summary>
    private static uint[] Masked(int vectors)
    {
        var registers = new uint[vectors * EntryBytes / sizeof(uint)];
        for (var vector = 0; vector < vectors; vector++)
            registers[Word(vector, VectorControl)] = MaskBit;
        return registers;
    }
}
