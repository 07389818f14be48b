using System.Buffers.Binary;

namespace ControlPlane.Inventory.Configuration;

/// <summary>
/// The configuration space of one PCI function, decoded from as many of its bytes as are known: 64 without privileges, 256 of a
/// conventional function, 4096 of a PCI Express one. What lies beyond the known bytes is absent, never guessed.
/// </summary>
public sealed class ConfigurationSpace
{
    public const int HeaderLength = 64;
    public const int ConventionalLength = 256;
    public const int ExtendedLength = 4096;

    private ConfigurationSpace(ReadOnlyMemory<byte> bytes) => Bytes = bytes;

    /// <summary>Takes the bytes as they are; decoding never fails, and <see cref="Problems"/> says what does not hold together.</summary>
    public static ConfigurationSpace Decode(ReadOnlyMemory<byte> bytes)
    {
        var space = new ConfigurationSpace(bytes.Length > ExtendedLength ? bytes[..ExtendedLength] : bytes);
        var problems = new List<string>();
        var list = CapabilityWalk.Walk(space, problems);
        var reader = new CapabilityReader(space, list);
        return new ConfigurationSpace(space.Bytes)
        {
            Capabilities = list,
            Problems = problems,
            BaseAddresses = CapabilityReader.ReadBaseAddresses(space),
            PowerManagement = reader.ReadPowerManagement(),
            Msi = reader.ReadMsi(),
            Msix = reader.ReadMsix(),
            Express = reader.ReadExpress(),
            AdvancedFeatures = reader.ReadAdvancedFeatures(),
            Acs = reader.ReadAcs(),
            Ari = reader.ReadAri(),
            Sriov = reader.ReadSriov(),
            Ats = reader.ReadAts(),
            Pasid = reader.ReadPasid(),
            DeviceSerialNumber = reader.ReadDeviceSerialNumber(),
            Subsystem = reader.ReadSubsystem(),
        };
    }

    public ReadOnlyMemory<byte> Bytes { get; }

    public int Length => Bytes.Length;

    /// <summary>0xffff for a virtual function: it takes its ids from its physical function (PCIe base specification, 9.3.4.1.1).</summary>
    public ushort VendorId => Word(0x00) ?? 0xffff;

    public ushort DeviceId => Word(0x02) ?? 0xffff;

    public ushort Command => Word(0x04) ?? 0;

    public byte Revision => Byte(0x08) ?? 0;

    /// <summary>24 bits: base class, subclass, programming interface.</summary>
    public int ClassCode => (int)((DoubleWord(0x08) ?? 0) >> 8);

    public HeaderType Header => Byte(0x0e) is { } type && (type & 0x7f) <= 2 ? (HeaderType)(type & 0x7f) : HeaderType.Unknown;

    /// <summary>The header's multi-function bit. The kernel also counts a function other than 0 as one of many.</summary>
    public bool IsMultifunction => Byte(0x0e) is { } type && (type & 0x80) != 0;

    /// <summary>Null for a function that is no bridge.</summary>
    public BridgeBuses? Buses => Header is HeaderType.Bridge or HeaderType.CardBus && DoubleWord(0x18) is { } buses
        ? new BridgeBuses((int)buses & 0xff, (int)(buses >> 8) & 0xff, (int)(buses >> 16) & 0xff)
        : null;

    /// <summary>In the order of the lists: those of the first 256 bytes, then the extended ones.</summary>
    public IReadOnlyList<PciCapability> Capabilities { get; private init; } = [];

    /// <summary>What is wrong in the lists (a loop, a pointer out of range), for people.</summary>
    public IReadOnlyList<string> Problems { get; private init; } = [];

    public IReadOnlyList<BaseAddressRegister> BaseAddresses { get; private init; } = [];

    public PowerManagementCapability? PowerManagement { get; private init; }

    public MsiCapability? Msi { get; private init; }

    public MsixCapability? Msix { get; private init; }

    /// <summary>Null: conventional PCI, or fewer than 256 bytes are known (<see cref="KnowsCapabilities"/>).</summary>
    public ExpressCapability? Express { get; private init; }

    public AdvancedFeaturesCapability? AdvancedFeatures { get; private init; }

    public AcsCapability? Acs { get; private init; }

    public AriCapability? Ari { get; private init; }

    public SriovRegisters? Sriov { get; private init; }

    public AtsCapability? Ats { get; private init; }

    public PasidCapability? Pasid { get; private init; }

    public ulong? DeviceSerialNumber { get; private init; }

    /// <summary>Subsystem vendor and device: from the header of an endpoint, from the capability of a bridge; zeros when it has none.</summary>
    public (ushort VendorId, ushort DeviceId) Subsystem { get; private init; }

    /// <summary>False when the dump ends before the capabilities do: then an absent one may just be unseen.</summary>
    public bool KnowsCapabilities => Length >= ConventionalLength || ((Word(0x06) ?? 0x10) & 0x10) == 0;

    /// <summary>False for PCI Express functions of which 256 bytes or fewer are known.</summary>
    public bool KnowsExtendedCapabilities => Length >= ExtendedLength || (KnowsCapabilities && Express is null);

    /// <summary>The byte at an offset; null where it is not known.</summary>
    public byte? Byte(int offset) => Knows(offset, 1) ? Bytes.Span[offset] : null;

    /// <summary>16 bits, little-endian, as configuration space is.</summary>
    public ushort? Word(int offset) => Knows(offset, 2) ? BinaryPrimitives.ReadUInt16LittleEndian(Bytes.Span[offset..]) : null;

    /// <summary>32 bits, little-endian.</summary>
    public uint? DoubleWord(int offset) => Knows(offset, 4) ? BinaryPrimitives.ReadUInt32LittleEndian(Bytes.Span[offset..]) : null;

    private bool Knows(int offset, int length) => offset >= 0 && offset + length <= Bytes.Length;
}
