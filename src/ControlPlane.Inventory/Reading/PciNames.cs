using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Inventory.Reading;

/// <summary>
/// Names for dumps that have numbers only: the classes of the PCI Code and ID Assignment Specification, the vendors of server hardware,
/// and the devices of the profiles that ship, as far as no device model says it. Words as lspci prints them.
/// </summary>
internal static class PciNames
{
    private static readonly Dictionary<int, string> Classes = new()
    {
        [0x0000] = "Non-VGA unclassified device", [0x0001] = "VGA compatible unclassified device", [0x00ff] = "Unclassified device",
        [0x0100] = "SCSI storage controller", [0x0101] = "IDE interface", [0x0102] = "Floppy disk controller", [0x0103] = "IPI bus controller",
        [0x0104] = "RAID bus controller", [0x0105] = "ATA controller", [0x0106] = "SATA controller", [0x0107] = "Serial Attached SCSI controller",
        [0x0108] = "Non-Volatile memory controller", [0x0180] = "Mass storage controller",
        [0x0200] = "Ethernet controller", [0x0207] = "Infiniband controller", [0x0208] = "Fabric controller", [0x0280] = "Network controller",
        [0x0300] = "VGA compatible controller", [0x0302] = "3D controller", [0x0380] = "Display controller",
        [0x0400] = "Multimedia video controller", [0x0401] = "Multimedia audio controller", [0x0403] = "Audio device", [0x0480] = "Multimedia controller",
        [0x0500] = "RAM memory", [0x0501] = "FLASH memory", [0x0502] = "CXL", [0x0580] = "Memory controller",
        [0x0600] = "Host bridge", [0x0601] = "ISA bridge", [0x0602] = "EISA bridge", [0x0604] = "PCI bridge", [0x0607] = "CardBus bridge",
        [0x0609] = "Semi-transparent PCI-to-PCI bridge", [0x060a] = "InfiniBand to PCI host bridge", [0x0680] = "Bridge",
        [0x0700] = "Serial controller", [0x0701] = "Parallel controller", [0x0780] = "Communication controller",
        [0x0800] = "PIC", [0x0801] = "DMA controller", [0x0802] = "Timer", [0x0803] = "RTC", [0x0804] = "PCI Hot-plug controller",
        [0x0805] = "SD Host controller", [0x0806] = "IOMMU", [0x0807] = "Root Complex Event Collector", [0x0880] = "System peripheral",
        [0x0c00] = "FireWire (IEEE 1394)", [0x0c03] = "USB controller", [0x0c04] = "Fibre Channel", [0x0c05] = "SMBus", [0x0c06] = "InfiniBand",
        [0x0c07] = "IPMI Interface", [0x0d80] = "Wireless controller", [0x1000] = "Network and computing encryption device",
        [0x1080] = "Encryption controller", [0x1100] = "DPIO module", [0x1101] = "Performance counters", [0x1180] = "Signal processing controller",
        [0x1200] = "Processing accelerators", [0x1300] = "Non-Essential Instrumentation",
    };

    private static readonly Dictionary<ushort, string> Vendors = new()
    {
        [0x1000] = "Broadcom / LSI", [0x1002] = "Advanced Micro Devices, Inc. [AMD/ATI]", [0x1014] = "IBM", [0x1022] = "Advanced Micro Devices, Inc. [AMD]",
        [0x1028] = "Dell", [0x102b] = "Matrox Electronics Systems Ltd.", [0x103c] = "Hewlett-Packard Company", [0x104c] = "Texas Instruments",
        [0x1077] = "QLogic Corp.", [0x10b5] = "PLX Technology, Inc.", [0x10de] = "NVIDIA Corporation", [0x10ec] = "Realtek Semiconductor Co., Ltd.",
        [0x10ee] = "Xilinx Corporation", [0x1106] = "VIA Technologies, Inc.", [0x111d] = "Microsemi / PMC / IDT", [0x1137] = "Cisco Systems Inc",
        [0x11f8] = "PMC-Sierra Inc.", [0x126f] = "Silicon Motion, Inc.", [0x1344] = "Micron Technology Inc",
        [0x1425] = "Chelsio Communications Inc", [0x144d] = "Samsung Electronics Co Ltd", [0x14e4] = "Broadcom Inc. and subsidiaries",
        [0x15ad] = "VMware", [0x15b3] = "Mellanox Technologies", [0x15b7] = "Sandisk Corp", [0x177d] = "Cavium, Inc.", [0x1912] = "Renesas Technology Corp.",
        [0x1924] = "Solarflare Communications", [0x1a03] = "ASPEED Technology, Inc.", [0x1af4] = "Red Hat, Inc.", [0x1b21] = "ASMedia Technology Inc.",
        [0x1b36] = "Red Hat, Inc.", [0x1b4b] = "Marvell Technology Group Ltd.", [0x1bb1] = "Seagate Technology PLC", [0x1c5c] = "SK hynix",
        [0x1c58] = "HGST, Inc.", [0x1d0f] = "Amazon.com, Inc.", [0x1d17] = "Zhaoxin", [0x1dd8] = "AMD Pensando Systems", [0x1def] = "Ampere Computing, LLC",
        [0x1e0f] = "KIOXIA Corporation", [0x1179] = "Toshiba Corporation", [0x19e5] = "Huawei Technologies Co., Ltd.", [0x1d94] = "Chengdu Haiguang IC Design Co., Ltd.",
        [0x8086] = "Intel Corporation", [0x9005] = "Adaptec",
    };

    private static readonly Dictionary<(ushort Vendor, ushort Device), string> Devices = new()
    {
        [(0x8086, 0x10d3)] = "82574L Gigabit Network Connection",
        [(0x8086, 0x2020)] = "Sky Lake-E DMI3 Registers", [(0x8086, 0x2030)] = "Sky Lake-E PCI Express Root Port A",
        [(0x8086, 0x2031)] = "Sky Lake-E PCI Express Root Port B", [(0x8086, 0x2032)] = "Sky Lake-E PCI Express Root Port C",
        [(0x8086, 0x2033)] = "Sky Lake-E PCI Express Root Port D", [(0x8086, 0xa182)] = "C620 Series Chipset Family SATA Controller [AHCI mode]",
        [(0x8086, 0x0b60)] = "NVMe DC SSD [Sentinel Rock Plus controller]", [(0x8086, 0x0a54)] = "NVMe Datacenter SSD [3DNAND, Beta Rock Controller]",
        [(0x10de, 0x20f1)] = "GA100 [A100 PCIe 40GB]", [(0x144d, 0xa80a)] = "NVMe SSD Controller PM9A1/PM9A3/980PRO",
        [(0x1022, 0x1480)] = "Starship/Matisse Root Complex", [(0x1022, 0x1481)] = "Starship/Matisse IOMMU", [(0x1022, 0x1482)] = "Starship/Matisse PCIe Dummy Host Bridge",
        [(0x1022, 0x1483)] = "Starship/Matisse GPP Bridge", [(0x1022, 0x1484)] = "Starship/Matisse Internal PCIe GPP Bridge 0 to bus[E:B]",
        [(0x10b5, 0x8747)] = "PEX 8747 48-Lane, 5-Port PCI Express Gen 3 (8.0 GT/s) Switch", [(0x10b5, 0x8796)] = "PEX 8796 96-lane, 24-port PCI Express Gen 3 (8.0 GT/s) Switch",
        [(0x1a03, 0x2000)] = "ASPEED Graphics Family", [(0x1a03, 0x1150)] = "AST1150 PCI-to-PCI Bridge",
        [(0x1af4, 0x1041)] = "Virtio 1.0 network device", [(0x1af4, 0x1042)] = "Virtio 1.0 block device", [(0x1b36, 0x000c)] = "QEMU PCIe Root port",
        [(0x1b36, 0x000e)] = "QEMU PCIe-to-PCI bridge", [(0x1b36, 0x0010)] = "QEMU NVM Express Controller", [(0x1b36, 0x000b)] = "QEMU PCIe Expander bridge",
    };

    /// <param name="classCode">24 bits.</param>
    public static string? Class(int classCode) => Classes.GetValueOrDefault(classCode >> 8);

    public static string? Vendor(ushort vendor) => Vendors.GetValueOrDefault(vendor);

    public static string? Device(ushort vendor, ushort device) =>
        DeviceModelCatalog.Shipped.ProductOf(vendor, device) ?? Devices.GetValueOrDefault((vendor, device));
}
