namespace ControlPlane.Domain.Pci;

/// <summary>What stands at an address.</summary>
public enum PciKind
{
    Endpoint,

    /// <summary>A PCI Express port or a PCI-to-PCI bridge.</summary>
    Bridge,

    /// <summary>A bridge from PCI Express to conventional PCI: everything behind it shares its IOMMU group.</summary>
    PcieToPciBridge,

    HostBridge,
}

/// <summary>An endpoint's part in SR-IOV.</summary>
public enum FunctionKind
{
    /// <summary>Has the SR-IOV capability.</summary>
    Physical,

    /// <summary>Was made by a physical function.</summary>
    Virtual,

    Plain,
}

/// <summary>A way to reset a function, in the words of Linux's <c>reset_method</c>.</summary>
public enum ResetMethod
{
    /// <summary>A device-specific quirk of the kernel.</summary>
    DeviceSpecific,
    Acpi,

    /// <summary>PCI Express Function Level Reset.</summary>
    Flr,

    /// <summary>Advanced Features FLR of conventional PCI.</summary>
    AfFlr,

    /// <summary>Power state D3hot and back.</summary>
    Pm,

    /// <summary>Secondary bus reset: resets every function below the bridge.</summary>
    Bus,
}

/// <summary>SR-IOV extended capability (PCIe base specification, 9.3.3).</summary>
/// <param name="TotalVfs">The hardware's limit.</param>
/// <param name="VfCount">Functions enabled now (Linux: <c>sriov_numvfs</c>).</param>
/// <param name="VfDeviceId">Device id of each virtual function.</param>
/// <param name="FirstVfOffset">Routing id of the first virtual function, relative to the physical one's.</param>
/// <param name="VfStride">Distance between the routing ids of neighbours.</param>
public sealed record SriovCapability(int TotalVfs, int VfCount, ushort VfDeviceId, int FirstVfOffset, int VfStride);

/// <param name="SpeedGTs">Gigatransfers per second, now.</param>
/// <param name="Width">Lanes, now.</param>
public sealed record PciLink(double SpeedGTs, int Width, double MaxSpeedGTs, int MaxWidth);

/// <summary>How many vectors each kind of message-signalled interrupt offers; 0: the capability is absent.</summary>
public sealed record PciInterrupts(int MsiVectors, int MsixVectors)
{
    public static readonly PciInterrupts None = new(0, 0);
}

/// <summary>One PCI function as its host shows it: what was observed, not who owns it.</summary>
public sealed record PciFunction
{
    public required PciAddress Address { get; init; }

    public required PciKind Kind { get; init; }

    /// <summary>Base class, subclass and programming interface, 24 bits: 0x020000 is an Ethernet controller.</summary>
    public required int ClassCode { get; init; }

    public required ushort VendorId { get; init; }

    public required ushort DeviceId { get; init; }

    public ushort SubsystemVendorId { get; init; }

    public ushort SubsystemDeviceId { get; init; }

    public byte Revision { get; init; }

    public string? ClassName { get; init; }

    public string? VendorName { get; init; }

    public string? DeviceName { get; init; }

    /// <summary>The driver bound now; null: none.</summary>
    public string? Driver { get; init; }

    /// <summary>Null where the firmware does not say (Linux: -1).</summary>
    public int? NumaNode { get; init; }

    /// <summary>Null on a host without an IOMMU: then nothing of it is assignable.</summary>
    public int? IommuGroup { get; init; }

    /// <summary>The bridge above; null on a root bus.</summary>
    public PciAddress? Parent { get; init; }

    public FunctionKind Function { get; init; } = FunctionKind.Plain;

    /// <summary>The maker of a virtual function.</summary>
    public PciAddress? PhysicalFunction { get; init; }

    public SriovCapability? Sriov { get; init; }

    public PciLink? Link { get; init; }

    public PciInterrupts Interrupts { get; init; } = PciInterrupts.None;

    /// <summary>In the order in which the kernel tries them; empty: the function cannot be reset, so it can never be proven clean.</summary>
    public IReadOnlyList<ResetMethod> Reset { get; init; } = [];

    /// <summary>Access Control Services present and able to keep peers apart (source validation, request and completion redirect, upstream forwarding).</summary>
    public bool Acs { get; init; }

    /// <summary>
    /// Firmware version of a function whose driver can save and load its state (VFIO migration version 2); null: it cannot. State is
    /// loaded only by the same model with the same firmware.
    /// </summary>
    public string? MigrationFirmware { get; init; }

    public bool IsBridge => Kind != PciKind.Endpoint;
}
