using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.Lspci;

/// <summary>One function as a dump shows it: its bytes, and what the tool printed in words. Null: not said.</summary>
public sealed record LspciFunction(PciAddress Address, int Line)
{
    /// <summary>As many bytes as the dump has, from offset 0 and without a gap.</summary>
    public ReadOnlyMemory<byte> Bytes { get; init; }

    /// <summary>Base class and subclass, 16 bits.</summary>
    public int? ClassCode { get; init; }

    public int? ProgrammingInterface { get; init; }

    public string? ClassName { get; init; }

    public ushort? VendorId { get; init; }

    public ushort? DeviceId { get; init; }

    /// <summary>Vendor and device in one, as printed: the tool puts nothing between them.</summary>
    public string? Name { get; init; }

    public byte? Revision { get; init; }

    public ushort? SubsystemVendorId { get; init; }

    public ushort? SubsystemDeviceId { get; init; }

    public string? Driver { get; init; }

    public int? NumaNode { get; init; }

    public int? IommuGroup { get; init; }

    /// <summary>The tool was not allowed to read capabilities.</summary>
    public bool AccessDenied { get; init; }

    /// <summary>True when the words list capabilities: then an absent one is absent.</summary>
    public bool ListsCapabilities { get; init; }

    /// <summary>True when the words also show what Access Control Services do, if there are any.</summary>
    public bool ListsExtendedCapabilities { get; init; }

    public BridgeBuses? Buses { get; init; }

    public DecodedCapabilities Capabilities { get; init; } = DecodedCapabilities.None;
}
