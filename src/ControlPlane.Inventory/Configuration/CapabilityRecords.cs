using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory.Configuration;

/// <summary>Layout of the header (offset 0x0e, bits 6:0).</summary>
public enum HeaderType
{
    Endpoint = 0,
    Bridge = 1,
    CardBus = 2,
    Unknown = 0x7f,
}

/// <summary>Device/Port Type of the PCI Express capability (PCIe base specification, 7.5.3.2).</summary>
public enum ExpressPortType
{
    Endpoint = 0,
    LegacyEndpoint = 1,
    RootPort = 4,
    UpstreamPort = 5,
    DownstreamPort = 6,
    PcieToPciBridge = 7,
    PciToPcieBridge = 8,
    RootComplexEndpoint = 9,
    RootComplexEventCollector = 10,
}

/// <summary>Power Management (PCI-PM 1.2, 3.2).</summary>
/// <param name="NoSoftReset">The function keeps its state from D3hot to D0, so that way is no reset.</param>
/// <param name="State">0 to 3: D0 to D3hot.</param>
public sealed record PowerManagementCapability(int Offset, bool NoSoftReset, int State);

/// <param name="Vectors">How many the function can ask for: 1 to 32.</param>
public sealed record MsiCapability(int Offset, int Vectors, bool Enabled, bool Has64BitAddress, bool HasMasking);

/// <param name="Vectors">Entries of the table: 1 to 2048.</param>
public sealed record MsixCapability(int Offset, int Vectors, bool Enabled, int TableBar, uint TableOffset, int PendingBar, uint PendingOffset);

/// <summary>PCI Express capability (PCIe base specification, 7.5.3). Fields the dump does not reach are null.</summary>
/// <param name="SlotImplemented">A port: it leads to a slot and not to a soldered device.</param>
/// <param name="HotPlugCapable">A port with a slot: devices come and go, and the kernel can reset the slot.</param>
/// <param name="AriForwarding">A port may turn ARI forwarding on; <paramref name="AriForwardingEnabled"/>: it is on.</param>
public sealed record ExpressCapability(
    int Offset, int Version, ExpressPortType PortType, bool SlotImplemented, bool FunctionLevelReset, PciLink? Link, bool LinkActive,
    bool HotPlugCapable, int SlotNumber, bool AriForwarding, bool AriForwardingEnabled);

/// <summary>Advanced Features of conventional PCI (ECN of 2006).</summary>
public sealed record AdvancedFeaturesCapability(int Offset, bool TransactionsPending, bool FunctionLevelReset);

/// <summary>Bits of the capability and control registers of Access Control Services (PCIe base specification, 7.7.11).</summary>
[Flags]
public enum AcsFlags
{
    None = 0,
    SourceValidation = 0x01,
    TranslationBlocking = 0x02,
    RequestRedirect = 0x04,
    CompletionRedirect = 0x08,
    UpstreamForwarding = 0x10,
    EgressControl = 0x20,
    DirectTranslated = 0x40,

    /// <summary>What keeps peers apart: the kernel's REQ_ACS_FLAGS.</summary>
    Isolation = SourceValidation | RequestRedirect | CompletionRedirect | UpstreamForwarding,
}

/// <param name="Capable">What the function implements.</param>
/// <param name="Enabled">What is switched on.</param>
public sealed record AcsCapability(int Offset, AcsFlags Capable, AcsFlags Enabled);

/// <param name="NextFunction">0 ends the list.</param>
public sealed record AriCapability(int Offset, int NextFunction);

/// <summary>Single Root I/O Virtualization, all of its registers that say something about the functions it makes (PCIe base specification, 9.3.3).</summary>
/// <param name="VfCount">NumVFs; meaningful while <paramref name="VfEnabled"/>.</param>
/// <param name="DependencyLink">The function whose VF count must agree with this one's; its own number when there is none.</param>
/// <param name="VfBaseAddresses">The six VF BARs as they stand, without their sizes.</param>
public sealed record SriovRegisters(
    int Offset, bool VfEnabled, bool VfMemoryEnabled, bool AriHierarchy, int InitialVfs, int TotalVfs, int VfCount, int DependencyLink,
    int FirstVfOffset, int VfStride, ushort VfDeviceId, uint SupportedPageSizes, uint SystemPageSize, IReadOnlyList<uint> VfBaseAddresses)
{
    /// <summary>As the inventory shows it: the VF count is what exists now.</summary>
    public SriovCapability ToCapability() => new(TotalVfs, VfEnabled ? VfCount : 0, VfDeviceId, FirstVfOffset, VfStride);
}

/// <param name="InvalidateQueueDepth">1 to 32.</param>
public sealed record AtsCapability(int Offset, int InvalidateQueueDepth, bool Enabled);

/// <param name="Width">Bits of a PASID.</param>
public sealed record PasidCapability(int Offset, int Width, bool Enabled);

/// <summary>A base address register.</summary>
/// <param name="Index">0 to 5; a 64-bit one takes this and the next.</param>
/// <param name="Address">As programmed; configuration space does not say the size, only probing does.</param>
public sealed record BaseAddressRegister(int Index, ulong Address, bool IsIo, bool Is64Bit, bool Prefetchable);

/// <summary>The buses of a bridge.</summary>
/// <param name="Secondary">Directly below; 0: not configured.</param>
/// <param name="Subordinate">The highest below.</param>
public sealed record BridgeBuses(int Primary, int Secondary, int Subordinate);
