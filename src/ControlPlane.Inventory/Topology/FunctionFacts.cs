using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.Topology;

/// <summary>
/// All that is known of one function, whoever said it. Where sources disagree it was settled before: bytes over words, what the kernel
/// shows over what is computed.
/// </summary>
internal sealed record FunctionFacts(PciAddress Address)
{
    public required ConfigurationSpace Space { get; init; }

    public required HeaderType Header { get; init; }

    /// <summary>The header's bit. <see cref="PciTree"/> adds what the kernel adds to it.</summary>
    public bool HasMultifunctionBit { get; init; }

    /// <summary>24 bits.</summary>
    public int ClassCode { get; init; }

    public ushort VendorId { get; init; }

    public ushort DeviceId { get; init; }

    public ushort SubsystemVendorId { get; init; }

    public ushort SubsystemDeviceId { get; init; }

    public byte Revision { get; init; }

    public string? ClassName { get; init; }

    public string? VendorName { get; init; }

    public string? DeviceName { get; init; }

    public string? Driver { get; init; }

    public int? NumaNode { get; init; }

    /// <summary>The group as the host shows it.</summary>
    public int? ShownGroup { get; init; }

    /// <summary>Reset methods as the host shows them.</summary>
    public IReadOnlyList<ResetMethod>? ShownReset { get; init; }

    public BridgeBuses? Buses { get; init; }

    /// <summary>The bridge above as the host's device tree shows it; the buses of the bridges say the same where they are known.</summary>
    public PciAddress? ShownParent { get; init; }

    /// <summary>The function that made this one's domain (Intel VMD), as the host's device tree shows it.</summary>
    public PciAddress? DomainMaker { get; init; }

    /// <summary>Only profiles say it: no tool prints which devices' state can travel.</summary>
    public string? MigrationFirmware { get; init; }

    public bool IsVirtual { get; init; }

    public PciAddress? PhysicalFunction { get; init; }

    public DecodedCapabilities Capabilities { get; init; } = DecodedCapabilities.None;

    /// <summary>False: an absent capability may just be unseen.</summary>
    public bool KnowsCapabilities { get; init; }

    public bool KnowsExtendedCapabilities { get; init; }

    public bool IsBridge => Header is HeaderType.Bridge or HeaderType.CardBus;

    public bool IsExpress => Capabilities.Express is not null;

    public ExpressPortType? PortType => Capabilities.Express?.PortType;
}
