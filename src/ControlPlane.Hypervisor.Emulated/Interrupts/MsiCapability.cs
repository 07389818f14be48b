using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Interrupts;

/// <summary>
/// A function's MSI capability in configuration space (PCI Express base specification 7.7.1): one address, and data whose low bits are the
/// vector's number. Masks and pending bits are there only where the function says so.
/// </summary>
/// <param name="send">The message itself.</param>
internal sealed class MsiCapability(EmulatedFunction function, Func<long, uint, bool> send)
{
    private const int Address64 = 0x80;
    private const int Masking = 0x100;

    private readonly ConfigSpace config = function.Config;
    private readonly int at = function.Config.Capabilities.Msi;

    public bool IsEnabled => (Control & PciRegisters.MsiEnable) != 0;

    public bool HasMasking => (Control & Masking) != 0;

    /// <summary>Enables one vector with its message.</summary>
    public void Enable(long address, uint data)
    {
        config.Write(at + 4, 4, (uint)address);
        if ((Control & Address64) != 0)
            config.Write(at + 8, 4, (uint)(address >> 32));
        config.Write(DataAt, 4, data);
        config.Write(at + PciRegisters.MsiControl, 2, Control | PciRegisters.MsiEnable);
    }

    /// <summary>Sets the mask bits; those that go send what is pending.</summary>
    public void Mask(uint bits)
    {
        if (!HasMasking)
            return;
        config.Force(MaskAt, 4, bits);
        var ready = config.Read(PendingAt, 4) & ~bits;
        config.Force(PendingAt, 4, config.Read(PendingAt, 4) & bits);
        for (var vector = 0; ready != 0; vector++, ready >>= 1)
        {
            if ((ready & 1) != 0)
                Send(vector);
        }
    }

    public bool IsPending(int vector) => HasMasking && (config.Read(PendingAt, 4) & (1u << vector)) != 0;

    public bool Signal(int vector)
    {
        if (!IsEnabled)
            return false;
        if (HasMasking && (config.Read(MaskAt, 4) & (1u << vector)) != 0)
        {
            config.Force(PendingAt, 4, config.Read(PendingAt, 4) | (1u << vector));
            return true;
        }
        return Send(vector);
    }

    private uint Control => config.Read(at + PciRegisters.MsiControl, 2);

    private int DataAt => at + ((Control & Address64) != 0 ? 12 : 8);

    private int MaskAt => DataAt + 4;

    private int PendingAt => DataAt + 8;

    private bool Send(int vector)
    {
        var high = (Control & Address64) != 0 ? (long)config.Read(at + 8, 4) << 32 : 0;
        return send(config.Read(at + 4, 4) | high, config.Read(DataAt, 4) + (uint)vector);
    }
}
