namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>What a NIC's hardware has, whatever a host asks of it.</summary>
/// <param name="Model">As people call it.</param>
/// <param name="VirtualFunctions">For each port.</param>
/// <param name="QueuePairs">For each virtual function.</param>
/// <param name="Pools">Queues into which received frames can be sorted, for virtual functions and VMDq together; 0: it does not sort for the host.</param>
/// <param name="MulticastFilters">Multicast addresses that one virtual function may join.</param>
/// <param name="GuaranteesRates">Whether a virtual function can be promised a least rate.</param>
/// <param name="LinkMbps">Of a port, in Mbit/s.</param>
internal sealed record NicLimits(
    string Model, int VirtualFunctions, int QueuePairs, int Pools, int MulticastFilters, bool GuaranteesRates, int LinkMbps)
{
    /// <summary>A NIC of which nothing is known: as many functions as PCI Express allows, and no sorting.</summary>
    public static readonly NicLimits Unknown = new("unknown", 65_535, 16, 0, 30, true, 10_000);

    private static readonly Dictionary<(ushort Vendor, ushort Device), NicLimits> Known = new()
    {
        // 82576 datasheet 7.10: eight pools of two queues a port, one of them for each virtual function.
        [(0x8086, 0x10c9)] = new("82576", 8, 2, 8, 30, false, 1000),
        // I350 datasheet 7.8: likewise.
        [(0x8086, 0x1521)] = new("I350", 8, 1, 8, 30, false, 1000),
        // 82599 and X540 datasheets 7.10: 64 pools of two queues; Linux's ixgbe keeps one for the physical function.
        [(0x8086, 0x10fb)] = new("82599", 63, 2, 64, 30, false, 10_000),
        [(0x8086, 0x1528)] = new("X540", 63, 2, 64, 30, false, 10_000),
        // X710 datasheet 1.2.1: 128 virtual functions a device, 64 on each of two ports; up to 16 queue pairs each.
        [(0x8086, 0x1572)] = new("X710", 64, 16, 256, 128, false, 10_000),
        // ConnectX-5: as many as the firmware was configured for, 127 at most; its embedded switch sorts for virtual ports only.
        [(0x15b3, 0x1017)] = new("ConnectX-5", 127, 63, 0, 2048, true, 25_000),
        [(0x15b3, 0x1019)] = new("ConnectX-5 Ex", 127, 63, 0, 2048, true, 100_000),
    };

    /// <summary>Of the physical function with these ids.</summary>
    public static NicLimits Of(ushort vendor, ushort device) => Known.GetValueOrDefault((vendor, device), Unknown);
}
