using System.Collections;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Grouping;

/// <summary>
/// Devices that do DMA under another function's routing id on their bus, from Linux's drivers/pci/quirks.c (6.18):
/// quirk_dma_func0_alias, quirk_dma_func1_alias, quirk_fixed_dma_alias, the NTB quirks of PLX and Intel.
/// </summary>
internal static class DmaAliases
{
    private static readonly HashSet<(ushort Vendor, ushort Device)> UsesFunction0 =
    [
        (0x1180, 0xe832), (0x1180, 0xe476), // Ricoh
        (0x6766, 0x3d40), (0x6766, 0x3d41), // Glenfly
    ];

    private static readonly HashSet<(ushort Vendor, ushort Device)> UsesFunction1 =
    [
        (0x1b4b, 0x9120), (0x1b4b, 0x9123), (0x1b4b, 0x9125), (0x1b4b, 0x9128), (0x1b4b, 0x9130), (0x1b4b, 0x9170), (0x1b4b, 0x9172),
        (0x1b4b, 0x917a), (0x1b4b, 0x9182), (0x1b4b, 0x9183), (0x1b4b, 0x91a0), (0x1b4b, 0x9215), (0x1b4b, 0x9220), (0x1b4b, 0x9230),
        (0x1b4b, 0x9235), // Marvell
        (0x1103, 0x0642), (0x1103, 0x0645), // HighPoint
        (0x197b, 0x2392), // JMicron
        (0x1c28, 0x0122), // Lite-On
    ];

    // quirk_use_pcie_bridge_dma_alias: bridges from PCI Express to PCI that hide their PCI Express capability.
    private static readonly HashSet<(ushort Vendor, ushort Device)> HiddenExpressBridges =
    [
        (0x1b21, 0x1080), (0x10e3, 0x8113), (0x1283, 0x8892), (0x1283, 0x8893), (0x8086, 0x244e),
    ];

    private static readonly BitArray MicX200 = Bits([0x10 << 3, 0x11 << 3, (0x12 << 3) | 3]);

    private static readonly BitArray VisualComputeAccelerator = Bits(Enumerable.Range(0, 32).SelectMany(slot => Enumerable.Range(slot << 3, 5)));

    private static readonly BitArray PlxBridge = Bits(Enumerable.Range(0, 256));

    /// <summary>The device and function numbers (8 bits) on its bus that the function also uses, as the kernel's dma_alias_mask; null: only its own.</summary>
    public static BitArray? Of(FunctionFacts function)
    {
        var (id, device) = ((function.VendorId, function.DeviceId), function.Address.Device);
        if (UsesFunction0.Contains(id))
            return Bits([device << 3]);
        if (UsesFunction1.Contains(id))
            return Bits([(device << 3) | 1]);
        if (id == (0x9005, 0x0285) && function is { SubsystemVendorId: 0x9005, SubsystemDeviceId: 0x02bb or 0x02bc })
            return Bits([1 << 3]); // Adaptec 3405 and 3805
        return id switch
        {
            (0x8086, 0x2260 or 0x2264) => MicX200,
            (0x8086, 0x2954 or 0x2955 or 0x2956 or 0x2958 or 0x2959 or 0x295a) => VisualComputeAccelerator,
            (0x10b5, 0x87b0 or 0x87b1) => PlxBridge,
            _ => null,
        };
    }

    private static BitArray Bits(IEnumerable<int> numbers)
    {
        var bits = new BitArray(256);
        foreach (var number in numbers)
            bits[number] = true;
        return bits;
    }

    /// <summary>A conventional bridge that is really one from PCI Express: below a PCI Express port that is no such bridge itself.</summary>
    public static bool IsHiddenExpressBridge(FunctionFacts bridge, FunctionFacts? above) =>
        HiddenExpressBridges.Contains((bridge.VendorId, bridge.DeviceId)) && !bridge.IsExpress
        && above is { IsExpress: true, PortType: not Configuration.ExpressPortType.PcieToPciBridge };
}
