using System.Buffers.Binary;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory.Configuration;

/// <summary>
/// Writes configuration space: for functions of which only words are known, and for those of hand-written profiles. What it writes,
/// <see cref="ConfigurationSpace"/> reads back.
/// </summary>
public sealed class ConfigurationSpaceBuilder
{
    private static readonly double[] SpeedsGTs = [0, 2.5, 5, 8, 16, 32, 64];

    private readonly byte[] bytes = new byte[ConfigurationSpace.ExtendedLength];
    private int end = 0x40;
    private int last;
    private int extendedEnd = ConfigurationSpace.ConventionalLength;
    private int lastExtended;
    private bool express;

    /// <param name="vendorId">0xffff for a virtual function.</param>
    /// <param name="classCode">24 bits.</param>
    public ConfigurationSpaceBuilder(ushort vendorId, ushort deviceId, int classCode, byte revision = 0, HeaderType header = HeaderType.Endpoint, bool multifunction = false)
    {
        Word(0x00, vendorId);
        Word(0x02, deviceId);
        DoubleWord(0x08, ((uint)classCode << 8) | revision);
        bytes[0x0e] = (byte)((int)header | (multifunction ? 0x80 : 0));
    }

    /// <summary>Commands that the function obeys: 1 I/O, 2 memory, 4 bus master.</summary>
    public ConfigurationSpaceBuilder Command(ushort command) => Set(0x04, command);

    public ConfigurationSpaceBuilder Subsystem(ushort vendorId, ushort deviceId)
    {
        if ((bytes[0x0e] & 0x7f) != (int)HeaderType.Endpoint)
        {
            var at = Begin(CapabilityIds.SubsystemId, 8);
            Word(at + 4, vendorId);
            Word(at + 6, deviceId);
            return this;
        }
        Word(0x2c, vendorId);
        return Set(0x2e, deviceId);
    }

    /// <summary>The buses of a bridge.</summary>
    public ConfigurationSpaceBuilder Buses(BridgeBuses buses)
    {
        bytes[0x18] = (byte)buses.Primary;
        bytes[0x19] = (byte)buses.Secondary;
        bytes[0x1a] = (byte)buses.Subordinate;
        return this;
    }

    /// <summary>A memory BAR of 64 bits takes two places.</summary>
    public ConfigurationSpaceBuilder MemoryBar(int index, ulong address, bool is64Bit = true, bool prefetchable = false)
    {
        DoubleWord(0x10 + (4 * index), (uint)(address & 0xffff_fff0) | (is64Bit ? 4u : 0) | (prefetchable ? 8u : 0));
        if (is64Bit)
            DoubleWord(0x14 + (4 * index), (uint)(address >> 32));
        return this;
    }

    /// <summary>A BAR of I/O ports.</summary>
    public ConfigurationSpaceBuilder IoBar(int index, ulong address)
    {
        DoubleWord(0x10 + (4 * index), (uint)(address & 0xfffc) | 1);
        return this;
    }

    public ConfigurationSpaceBuilder PowerManagement(bool noSoftReset)
    {
        var at = Begin(CapabilityIds.PowerManagement, 8);
        Word(at + 2, 0x0003);
        return Set(at + 4, (ushort)(noSoftReset ? 0x08 : 0));
    }

    /// <param name="vectors">Rounded up to a power of two, at most 32.</param>
    public ConfigurationSpaceBuilder Msi(int vectors)
    {
        var at = Begin(CapabilityIds.Msi, 24);
        var code = Math.Min(5, (int)Math.Ceiling(Math.Log2(Math.Max(vectors, 1))));
        return Set(at + 2, (ushort)((code << 1) | 0x180));
    }

    /// <param name="table">Where the table begins behind the BAR, a multiple of 8.</param>
    /// <param name="pending">Likewise of the pending bits.</param>
    public ConfigurationSpaceBuilder Msix(int vectors, int bar, uint table = 0, uint pending = 0x2000)
    {
        var at = Begin(CapabilityIds.Msix, 12);
        Word(at + 2, (ushort)((vectors - 1) & 0x7ff));
        DoubleWord(at + 4, table | (uint)bar);
        DoubleWord(at + 8, pending | (uint)bar);
        return this;
    }

    /// <summary>The PCI Express capability, version 2. It makes the function one with 4096 bytes.</summary>
    public ConfigurationSpaceBuilder Express(ExpressCapability capability)
    {
        express = true;
        var at = Begin(CapabilityIds.Express, 60);
        Word(at + 2, (ushort)(2 | ((int)capability.PortType << 4) | (capability.SlotImplemented ? 0x100 : 0)));
        DoubleWord(at + 4, 0x8000u | (capability.FunctionLevelReset ? 1u << 28 : 0));
        if (capability.Link is { } link)
        {
            DoubleWord(at + 0x0c, SpeedCode(link.MaxSpeedGTs) | ((uint)link.MaxWidth << 4));
            Word(at + 0x12, (ushort)(SpeedCode(link.SpeedGTs) | ((uint)link.Width << 4) | (capability.LinkActive ? 0x2000u : 0)));
            DoubleWord(at + 0x2c, (uint)((1 << (int)(SpeedCode(link.MaxSpeedGTs) + 1)) - 2));
        }
        DoubleWord(at + 0x14, (capability.HotPlugCapable ? 0x40u : 0) | ((uint)capability.SlotNumber << 19));
        DoubleWord(at + 0x24, capability.AriForwarding ? 0x20u : 0);
        return Set(at + 0x28, (ushort)(capability.AriForwardingEnabled ? 0x20 : 0));
    }

    public ConfigurationSpaceBuilder AdvancedFeatures(bool functionLevelReset)
    {
        var at = Begin(CapabilityIds.AdvancedFeatures, 8);
        bytes[at + 2] = 6;
        bytes[at + 3] = (byte)(functionLevelReset ? 3 : 1);
        return this;
    }

    public ConfigurationSpaceBuilder AdvancedErrorReporting()
    {
        BeginExtended(ExtendedCapabilityIds.AdvancedErrorReporting, 2, 0x48);
        return this;
    }

    public ConfigurationSpaceBuilder DeviceSerialNumber(ulong serialNumber)
    {
        var at = BeginExtended(ExtendedCapabilityIds.DeviceSerialNumber, 1, 12);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at + 4), serialNumber);
        return this;
    }

    public ConfigurationSpaceBuilder Acs(AcsFlags capable, AcsFlags enabled)
    {
        var at = BeginExtended(ExtendedCapabilityIds.AccessControlServices, 1, 8);
        Word(at + 4, (ushort)capable);
        return Set(at + 6, (ushort)enabled);
    }

    public ConfigurationSpaceBuilder Ari(int nextFunction) => Set(BeginExtended(ExtendedCapabilityIds.AlternativeRoutingId, 1, 8) + 4, (ushort)(nextFunction << 8));

    /// <summary>Address Translation Services, switched off.</summary>
    /// <param name="queueDepth">Invalidations that the function takes at a time, 1 to 32; 32 is written as 0 (PCIe base specification, 10.5.1.2).</param>
    public ConfigurationSpaceBuilder Ats(int queueDepth) =>
        Set(BeginExtended(ExtendedCapabilityIds.AddressTranslationServices, 1, 8) + 4, (ushort)(queueDepth & 0x1f));

    /// <summary>Writes all that the registers hold; their offset is chosen here.</summary>
    public ConfigurationSpaceBuilder Sriov(SriovRegisters registers)
    {
        var at = BeginExtended(ExtendedCapabilityIds.SingleRootIoVirtualization, 1, 0x40);
        DoubleWord(at + 0x04, 0x02); // ARI capable hierarchy preserved.
        Word(at + 0x08, (ushort)((registers.VfEnabled ? 0x01 : 0) | (registers.VfMemoryEnabled ? 0x08 : 0) | (registers.AriHierarchy ? 0x10 : 0)));
        Word(at + 0x0c, (ushort)registers.InitialVfs);
        Word(at + 0x0e, (ushort)registers.TotalVfs);
        Word(at + 0x10, (ushort)registers.VfCount);
        bytes[at + 0x12] = (byte)registers.DependencyLink;
        Word(at + 0x14, (ushort)registers.FirstVfOffset);
        Word(at + 0x16, (ushort)registers.VfStride);
        Word(at + 0x1a, registers.VfDeviceId);
        DoubleWord(at + 0x1c, registers.SupportedPageSizes);
        DoubleWord(at + 0x20, registers.SystemPageSize);
        for (var i = 0; i < registers.VfBaseAddresses.Count; i++)
            DoubleWord(at + 0x24 + (4 * i), registers.VfBaseAddresses[i]);
        return this;
    }

    /// <summary>256 bytes, or 4096 once it has a PCI Express capability.</summary>
    public byte[] Build() => bytes[..(express ? ConfigurationSpace.ExtendedLength : ConfigurationSpace.ConventionalLength)];

    private int Begin(int id, int length)
    {
        var at = end;
        end = (end + length + 3) & ~3;
        bytes[at] = (byte)id;
        bytes[last == 0 ? 0x34 : last + 1] = (byte)at;
        bytes[0x06] |= 0x10;
        last = at;
        return at;
    }

    private int BeginExtended(int id, int version, int length)
    {
        var at = extendedEnd;
        extendedEnd = (extendedEnd + length + 7) & ~7;
        DoubleWord(at, (uint)id | ((uint)version << 16));
        if (lastExtended != 0)
            DoubleWord(lastExtended, BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(lastExtended)) | ((uint)at << 20));
        lastExtended = at;
        return at;
    }

    private ConfigurationSpaceBuilder Set(int offset, ushort value)
    {
        Word(offset, value);
        return this;
    }

    private void Word(int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(offset), value);

    private void DoubleWord(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(offset), value);

    private static uint SpeedCode(double speedGTs) => (uint)Math.Max(0, Array.IndexOf(SpeedsGTs, speedGTs));
}
