namespace ControlPlane.Inventory.Configuration;

/// <summary>Ids of the capabilities in the first 256 bytes (PCI Code and ID Assignment Specification, chapter 2).</summary>
public static class CapabilityIds
{
    public const int PowerManagement = 0x01;
    public const int Msi = 0x05;
    public const int SubsystemId = 0x0d;
    public const int Express = 0x10;
    public const int Msix = 0x11;
    public const int AdvancedFeatures = 0x13;

    private static readonly Dictionary<int, string> Names = new()
    {
        [0x01] = "Power Management", [0x02] = "AGP", [0x03] = "Vital Product Data", [0x04] = "Slot Identification", [0x05] = "MSI",
        [0x06] = "CompactPCI Hot Swap", [0x07] = "PCI-X", [0x08] = "HyperTransport", [0x09] = "Vendor Specific", [0x0a] = "Debug Port",
        [0x0b] = "CompactPCI Resource Control", [0x0c] = "Hot-Plug Controller", [0x0d] = "Subsystem", [0x0e] = "AGP8x",
        [0x0f] = "Secure Device", [0x10] = "Express", [0x11] = "MSI-X", [0x12] = "SATA HBA", [0x13] = "Advanced Features",
        [0x14] = "Enhanced Allocation", [0x15] = "Flattening Portal Bridge",
    };

    internal static string NameOf(int id) => Names.TryGetValue(id, out var name) ? name : $"Capability {id:x2}";
}

/// <summary>Ids of the extended capabilities, from offset 0x100 (PCI Code and ID Assignment Specification, chapter 3).</summary>
public static class ExtendedCapabilityIds
{
    public const int AdvancedErrorReporting = 0x0001;
    public const int DeviceSerialNumber = 0x0003;
    public const int AccessControlServices = 0x000d;
    public const int AlternativeRoutingId = 0x000e;
    public const int AddressTranslationServices = 0x000f;
    public const int SingleRootIoVirtualization = 0x0010;
    public const int PageRequestInterface = 0x0013;
    public const int ProcessAddressSpaceId = 0x001b;

    private static readonly Dictionary<int, string> Names = new()
    {
        [0x01] = "Advanced Error Reporting", [0x02] = "Virtual Channel", [0x03] = "Device Serial Number", [0x04] = "Power Budgeting",
        [0x05] = "Root Complex Link", [0x06] = "Root Complex Internal Link", [0x07] = "Root Complex Event Collector", [0x08] = "MFVC",
        [0x09] = "Virtual Channel", [0x0a] = "Root Complex Register Block", [0x0b] = "Vendor Specific Information",
        [0x0c] = "Configuration Access Correlation", [0x0d] = "Access Control Services", [0x0e] = "Alternative Routing-ID Interpretation",
        [0x0f] = "Address Translation Service", [0x10] = "Single Root I/O Virtualization", [0x11] = "Multi-Root I/O Virtualization",
        [0x12] = "Multicast", [0x13] = "Page Request Interface", [0x14] = "AMD Reserved", [0x15] = "Resizable BAR",
        [0x16] = "Dynamic Power Allocation", [0x17] = "Transaction Processing Hints", [0x18] = "Latency Tolerance Reporting",
        [0x19] = "Secondary PCI Express", [0x1a] = "Protocol Multiplexing", [0x1b] = "Process Address Space ID",
        [0x1c] = "LN Requester", [0x1d] = "Downstream Port Containment", [0x1e] = "L1 PM Substates", [0x1f] = "Precision Time Measurement",
        [0x20] = "M-PCIe", [0x21] = "FRS Queueing", [0x22] = "Readiness Time Reporting", [0x23] = "Designated Vendor-Specific",
        [0x24] = "VF Resizable BAR", [0x25] = "Data Link Feature", [0x26] = "Physical Layer 16.0 GT/s", [0x27] = "Lane Margining at the Receiver",
        [0x28] = "Hierarchy ID", [0x29] = "Native PCIe Enclosure Management", [0x2a] = "Physical Layer 32.0 GT/s",
        [0x2b] = "Alternate Protocol", [0x2c] = "System Firmware Intermediary", [0x2d] = "Shadow Functions", [0x2e] = "Data Object Exchange",
        [0x2f] = "Device 3", [0x30] = "Integrity and Data Encryption", [0x31] = "Physical Layer 64.0 GT/s", [0x32] = "Flit Logging",
        [0x33] = "Flit Performance Measurement", [0x34] = "Flit Error Injection",
    };

    internal static string NameOf(int id) => Names.TryGetValue(id, out var name) ? name : $"Extended Capability {id:x4}";
}

/// <summary>One entry of a capability list.</summary>
/// <param name="Id">See <see cref="CapabilityIds"/>, or <see cref="ExtendedCapabilityIds"/> when <paramref name="Extended"/>.</param>
/// <param name="Offset">Of its header, in bytes from the start of configuration space.</param>
/// <param name="Version">0 for those of the first 256 bytes, which have none in their header.</param>
public sealed record PciCapability(int Id, int Offset, bool Extended, int Version)
{
    public string Name => Extended ? ExtendedCapabilityIds.NameOf(Id) : CapabilityIds.NameOf(Id);
}
