using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory.Configuration;

/// <summary>Reads the registers of each capability we know. A capability whose registers the dump cuts off is absent.</summary>
internal sealed class CapabilityReader(ConfigurationSpace space, IReadOnlyList<PciCapability> list)
{
    // PCIe base specification, 7.5.3.6: encodings of the link speed fields, in GT/s.
    private static readonly double[] SpeedsGTs = [0, 2.5, 5, 8, 16, 32, 64];

    public PowerManagementCapability? ReadPowerManagement() =>
        Find(CapabilityIds.PowerManagement) is { } at && space.Word(at + 4) is { } control
            ? new PowerManagementCapability(at, (control & 0x08) != 0, control & 0x03)
            : null;

    public MsiCapability? ReadMsi() =>
        Find(CapabilityIds.Msi) is { } at && space.Word(at + 2) is { } control
            ? new MsiCapability(at, 1 << Math.Min((control >> 1) & 7, 5), (control & 0x01) != 0, (control & 0x80) != 0, (control & 0x100) != 0)
            : null;

    public MsixCapability? ReadMsix() =>
        Find(CapabilityIds.Msix) is { } at && space.Word(at + 2) is { } control
            && space.DoubleWord(at + 4) is { } table && space.DoubleWord(at + 8) is { } pending
            ? new MsixCapability(
                at, (control & 0x7ff) + 1, (control & 0x8000) != 0, (int)table & 7, table & ~7u, (int)pending & 7, pending & ~7u)
            : null;

    public ExpressCapability? ReadExpress()
    {
        if (Find(CapabilityIds.Express) is not { } at || space.Word(at + 2) is not { } flags || space.DoubleWord(at + 4) is not { } device)
            return null;
        var type = (ExpressPortType)((flags >> 4) & 0xf);
        var slot = (flags & 0x100) != 0;
        var slotRegister = slot ? space.DoubleWord(at + 0x14) ?? 0 : 0;
        var version = flags & 0xf;
        // Version 1 ends before the second set of registers; what stands there belongs to something else.
        var device2 = version >= 2 ? space.DoubleWord(at + 0x24) ?? 0 : 0;
        var control2 = version >= 2 ? space.Word(at + 0x28) ?? 0 : 0;
        return new ExpressCapability(
            at, version, type, slot, (device & (1u << 28)) != 0, ReadLink(at), ((space.Word(at + 0x12) ?? 0) & 0x2000) != 0,
            (slotRegister & 0x40) != 0, (int)(slotRegister >> 19), (device2 & 0x20) != 0, (control2 & 0x20) != 0);
    }

    public AdvancedFeaturesCapability? ReadAdvancedFeatures() =>
        Find(CapabilityIds.AdvancedFeatures) is { } at && space.Byte(at + 3) is { } bits
            ? new AdvancedFeaturesCapability(at, (bits & 1) != 0, (bits & 2) != 0)
            : null;

    public AcsCapability? ReadAcs() =>
        FindExtended(ExtendedCapabilityIds.AccessControlServices) is { } at && space.Word(at + 4) is { } capable && space.Word(at + 6) is { } control
            ? new AcsCapability(at, (AcsFlags)(capable & 0x7f), (AcsFlags)(control & 0x7f))
            : null;

    public AriCapability? ReadAri() =>
        FindExtended(ExtendedCapabilityIds.AlternativeRoutingId) is { } at && space.Word(at + 4) is { } capable
            ? new AriCapability(at, capable >> 8)
            : null;

    public SriovRegisters? ReadSriov()
    {
        if (FindExtended(ExtendedCapabilityIds.SingleRootIoVirtualization) is not { } at || space.DoubleWord(at + 0x38) is null)
            return null;
        var control = Word(at + 0x08);
        var baseAddresses = Enumerable.Range(0, 6).Select(i => DoubleWord(at + 0x24 + (4 * i))).ToArray();
        return new SriovRegisters(
            at, (control & 0x01) != 0, (control & 0x08) != 0, (control & 0x10) != 0, Word(at + 0x0c), Word(at + 0x0e), Word(at + 0x10),
            space.Byte(at + 0x12) ?? 0, Word(at + 0x14), Word(at + 0x16), Word(at + 0x1a), DoubleWord(at + 0x1c), DoubleWord(at + 0x20),
            baseAddresses);
    }

    public AtsCapability? ReadAts() =>
        FindExtended(ExtendedCapabilityIds.AddressTranslationServices) is { } at && space.Word(at + 4) is { } capable && space.Word(at + 6) is { } control
            ? new AtsCapability(at, (capable & 0x1f) == 0 ? 32 : capable & 0x1f, (control & 0x8000) != 0)
            : null;

    public PasidCapability? ReadPasid() =>
        FindExtended(ExtendedCapabilityIds.ProcessAddressSpaceId) is { } at && space.Word(at + 4) is { } capable && space.Word(at + 6) is { } control
            ? new PasidCapability(at, (capable >> 8) & 0x1f, (control & 1) != 0)
            : null;

    public ulong? ReadDeviceSerialNumber() =>
        FindExtended(ExtendedCapabilityIds.DeviceSerialNumber) is { } at && space.DoubleWord(at + 4) is { } low && space.DoubleWord(at + 8) is { } high
            ? ((ulong)high << 32) | low
            : null;

    public (ushort VendorId, ushort DeviceId) ReadSubsystem() => space.Header switch
    {
        HeaderType.Endpoint => (Word(0x2c), Word(0x2e)),
        HeaderType.Bridge when Find(CapabilityIds.SubsystemId) is { } at => (Word(at + 4), Word(at + 6)),
        HeaderType.CardBus => (Word(0x40), Word(0x42)),
        _ => (0, 0),
    };

    public static List<BaseAddressRegister> ReadBaseAddresses(ConfigurationSpace space)
    {
        var registers = new List<BaseAddressRegister>();
        var count = space.Header switch { HeaderType.Endpoint => 6, HeaderType.Bridge => 2, HeaderType.CardBus => 1, _ => 0 };
        for (var i = 0; i < count; i++)
        {
            if (space.DoubleWord(0x10 + (4 * i)) is not { } low || low is 0 or 0xffff_ffff)
                continue;
            if ((low & 1) != 0)
            {
                registers.Add(new BaseAddressRegister(i, low & ~3u, IsIo: true, Is64Bit: false, Prefetchable: false));
                continue;
            }
            var wide = (low & 6) == 4 && i + 1 < count;
            var high = wide ? space.DoubleWord(0x14 + (4 * i)) ?? 0 : 0;
            registers.Add(new BaseAddressRegister(i, ((ulong)high << 32) | (low & ~0xfu), IsIo: false, wide, (low & 8) != 0));
            if (wide)
                i++;
        }
        return registers;
    }

    private PciLink? ReadLink(int express)
    {
        if (space.DoubleWord(express + 0x0c) is not { } capable || space.Word(express + 0x12) is not { } status)
            return null;
        // A root complex integrated endpoint has no link: all of it is zero.
        return (capable & 0x3ff) == 0 && (status & 0x3ff) == 0
            ? null
            : new PciLink(Speed(status & 0xf), (status >> 4) & 0x3f, Speed((int)capable & 0xf), (int)(capable >> 4) & 0x3f);
    }

    private static double Speed(int code) => code < SpeedsGTs.Length ? SpeedsGTs[code] : 0;

    private ushort Word(int offset) => space.Word(offset) ?? 0;

    private uint DoubleWord(int offset) => space.DoubleWord(offset) ?? 0;

    private int? Find(int id) => list.FirstOrDefault(c => !c.Extended && c.Id == id)?.Offset;

    private int? FindExtended(int id) => list.FirstOrDefault(c => c.Extended && c.Id == id)?.Offset;
}
