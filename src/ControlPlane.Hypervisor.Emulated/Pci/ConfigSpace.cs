using System.Buffers.Binary;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>What writing to configuration space set off beside the bytes.</summary>
[Flags]
internal enum ConfigEffect
{
    None = 0,

    /// <summary>A function level reset was initiated (PCI Express or Advanced Features).</summary>
    FunctionReset = 1,

    /// <summary>D3hot was left without NoSoftReset: the function is as after a reset.</summary>
    PowerReset = 2,

    /// <summary>VF Enable changed.</summary>
    VirtualFunctions = 4,

    /// <summary>A bridge's secondary bus was held in reset and let go.</summary>
    BusReset = 8,
}

/// <summary>
/// One function's configuration space: the bytes of its description, and over them what was written since, register by register as the
/// hardware lets it (read-only bits stay, write-one-to-clear bits clear, control bits have their effects).
/// </summary>
/// <remarks>Functions made alike share one image; only the words that were written are held per function.</remarks>
internal sealed class ConfigSpace(ReadOnlyMemory<byte> image, CapabilityMap capabilities)
{
    /// <summary>PCI Express' first 4 KiB.</summary>
    public const int Size = 4096;

    private Dictionary<int, uint>? written;

    public CapabilityMap Capabilities => capabilities;

    /// <summary>The address bits of the six base address registers (<see cref="BarSizing"/>); null: their sizes are not known.</summary>
    public IReadOnlyList<uint>? BarMasks { get; init; }

    /// <summary>Reads 1, 2 or 4 bytes at an offset aligned to that width. Beyond the described bytes reads are zero.</summary>
    public uint Read(int offset, int width)
    {
        var word = Word(offset & ~3);
        return (word >> ((offset & 3) * 8)) & Mask(width);
    }

    public ushort Read16(int offset) => (ushort)Read(offset, 2);

    /// <summary>Writes as a driver would, and says what it set off.</summary>
    public ConfigEffect Write(int offset, int width, uint value)
    {
        var shift = (offset & 3) * 8;
        var at = offset & ~3;
        var lanes = Mask(width) << shift;
        var before = Word(at);
        var data = (before & ~lanes) | ((value << shift) & lanes);
        var writable = WritableBits(at) & lanes;
        var clears = ClearedByOne(at) & lanes;
        var after = (before & ~writable) | (data & writable);
        after &= ~((value << shift) & clears);
        var effect = EffectOf(at, before, after, (value << shift) & lanes);
        if (after != before)
            (written ??= [])[at] = after;
        return effect;
    }

    /// <summary>What the hardware itself sets, such as the number of virtual functions that firmware left enabled.</summary>
    public void Force(int offset, int width, uint value)
    {
        var shift = (offset & 3) * 8;
        var at = offset & ~3;
        (written ??= [])[at] = (Word(at) & ~(Mask(width) << shift)) | ((value & Mask(width)) << shift);
    }

    /// <summary>A reset: bus mastering, decoding, interrupts and addresses are off; identity and capabilities stay.</summary>
    public void Reset()
    {
        written = null;
        Force(PciRegisters.Command, 2, 0);
        if (!IsBridge)
        {
            for (var bar = 0; bar < 6; bar++)
                Force(PciRegisters.Bar0 + (bar * 4), 4, Read(PciRegisters.Bar0 + (bar * 4), 4) & 0xf);
        }
        if (capabilities.Msi != 0)
            Force(capabilities.Msi + PciRegisters.MsiControl, 2, Read(capabilities.Msi + PciRegisters.MsiControl, 2) & ~(uint)PciRegisters.MsiEnable);
        if (capabilities.Msix != 0)
            Force(capabilities.Msix + PciRegisters.MsixControl, 2, Read(capabilities.Msix + PciRegisters.MsixControl, 2) & ~(uint)PciRegisters.MsixEnableAndMask);
        if (capabilities.Ats != 0)
            Force(capabilities.Ats + PciRegisters.AtsControl, 2, 0);
        if (capabilities.Sriov != 0)
        {
            Force(capabilities.Sriov + PciRegisters.SriovControl, 2, 0);
            Force(capabilities.Sriov + PciRegisters.SriovNumVfs, 2, 0);
        }
    }

    /// <summary>The words that Linux saves before a reset and restores after it (<c>pci_save_state</c>).</summary>
    public IReadOnlyDictionary<int, uint> Save()
    {
        var saved = new Dictionary<int, uint>(written ?? []);
        for (var at = 0; at < 64; at += 4)
            saved[at] = Word(at);
        var sriov = capabilities.Sriov;
        foreach (var at in (int[])[capabilities.Msi, capabilities.Msix, sriov == 0 ? 0 : sriov + PciRegisters.SriovNumVfs, sriov == 0 ? 0 : sriov + PciRegisters.SriovControl])
        {
            if (at != 0)
                saved[at] = Word(at);
        }
        return saved;
    }

    public void Restore(IReadOnlyDictionary<int, uint> saved)
    {
        foreach (var (at, word) in saved)
            (written ??= [])[at] = word;
    }

    /// <summary>All bytes as they read now.</summary>
    public byte[] Dump()
    {
        var bytes = new byte[image.Length];
        for (var at = 0; at + 4 <= bytes.Length; at += 4)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(at), Word(at));
        return bytes;
    }

    private bool IsBridge => (Read(PciRegisters.HeaderType, 1) & 0x7f) == 1;

    private static uint Mask(int width) => width switch
    {
        1 => 0xff,
        2 => 0xffff,
        4 => uint.MaxValue,
        _ => throw new ArgumentOutOfRangeException(nameof(width), width, "Configuration accesses are 1, 2 or 4 bytes wide."),
    };

    private uint Word(int at)
    {
        if (written is not null && written.TryGetValue(at, out var word))
            return word;
        return at + 4 <= image.Length ? BinaryPrimitives.ReadUInt32LittleEndian(image.Span[at..]) : 0;
    }

    private uint WritableBits(int at)
    {
        if (at == PciRegisters.Command)
            return PciRegisters.CommandWritable;
        if (at == PciRegisters.InterruptLine)
            return IsBridge ? 0xffff_00ffu : 0xffu;
        if (at is >= PciRegisters.Bar0 and < 0x28)
            return IsBridge ? (at == PciRegisters.PrimaryBus ? 0x00ff_ffffu : uint.MaxValue) : BarBits(at);
        return WritableInCapability(at);
    }

    /// <summary>An unimplemented base address register reads as zero whatever is written; an implemented one keeps its type bits.</summary>
    private uint BarBits(int at)
    {
        if (BarMasks is not null)
            return BarMasks[(at - PciRegisters.Bar0) / 4];
        var described = at + 4 <= image.Length ? BinaryPrimitives.ReadUInt32LittleEndian(image.Span[at..]) : 0;
        if (described == 0)
            return 0;
        return (described & 1) != 0 ? 0xffff_ffe0 : 0xffff_f000;
    }

    private uint WritableInCapability(int at)
    {
        var c = capabilities;
        if (c.PowerManagement != 0 && at == c.PowerManagement + PciRegisters.PmControl)
            return PciRegisters.PmStateMask | 0x0100;
        if (c.Msi != 0 && at == c.Msi)
            return (uint)(PciRegisters.MsiEnable | 0x0070) << 16;
        if (c.Msi != 0 && at > c.Msi && at <= c.Msi + 0x0c)
            return uint.MaxValue;
        if (c.Msix != 0 && at == c.Msix)
            return (uint)PciRegisters.MsixEnableAndMask << 16;
        if (c.Express != 0 && at == c.Express + PciRegisters.ExpressDeviceControl)
            return 0x7fff;
        if (c.Ats != 0 && at == c.Ats + PciRegisters.AtsControl - 2)
            return (PciRegisters.AtsEnable | 0x001fu) << 16;
        if (c.Sriov != 0 && at == c.Sriov + PciRegisters.SriovControl)
            return PciRegisters.SriovControlWritable;
        // NumVFs may not change while VF Enable is set (PCIe base specification 9.3.3.7).
        if (c.Sriov != 0 && at == c.Sriov + PciRegisters.SriovNumVfs)
            return (Read(c.Sriov + PciRegisters.SriovControl, 2) & PciRegisters.SriovVfEnable) == 0 ? 0xffffu : 0u;
        return 0;
    }

    private uint ClearedByOne(int at)
    {
        if (at == PciRegisters.Command)
            return (uint)PciRegisters.StatusWriteOneToClear << 16;
        if (capabilities.Express != 0 && at == capabilities.Express + PciRegisters.ExpressDeviceControl)
            return 0x000f_0000;
        return 0;
    }

    private ConfigEffect EffectOf(int at, uint before, uint after, uint data)
    {
        var c = capabilities;
        if (c.Express != 0 && at == c.Express + PciRegisters.ExpressDeviceControl && (data & PciRegisters.ExpressInitiateFlr) != 0)
            return (Word(c.Express + PciRegisters.ExpressDeviceCapabilities) & PciRegisters.ExpressFlrCapable) != 0 ? ConfigEffect.FunctionReset : ConfigEffect.None;
        if (c.AdvancedFeatures != 0 && at == c.AdvancedFeatures + PciRegisters.AfControl && (data & 1) != 0)
            return (Read(c.AdvancedFeatures + PciRegisters.AfCapabilities, 1) & PciRegisters.AfFlrCapable) != 0 ? ConfigEffect.FunctionReset : ConfigEffect.None;
        if (c.PowerManagement != 0 && at == c.PowerManagement + PciRegisters.PmControl)
        {
            var leavesD3 = (before & PciRegisters.PmStateMask) == 3 && (after & PciRegisters.PmStateMask) == 0;
            return leavesD3 && (after & PciRegisters.PmNoSoftReset) == 0 ? ConfigEffect.PowerReset : ConfigEffect.None;
        }
        if (c.Sriov != 0 && at == c.Sriov + PciRegisters.SriovControl)
            return ((before ^ after) & PciRegisters.SriovVfEnable) != 0 ? ConfigEffect.VirtualFunctions : ConfigEffect.None;
        if (IsBridge && at == PciRegisters.InterruptLine)
        {
            const uint bit = (uint)PciRegisters.BridgeControlBusReset << 16;
            return (before & bit) != 0 && (after & bit) == 0 ? ConfigEffect.BusReset : ConfigEffect.None;
        }
        return ConfigEffect.None;
    }
}
