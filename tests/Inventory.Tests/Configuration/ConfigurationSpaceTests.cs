using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using FsCheck;
using FsCheck.Fluent;

namespace ControlPlane.Inventory.Tests.Configuration;

public sealed class ConfigurationSpaceTests
{
    [Fact]
    public void The_82576_of_the_capture_reads_as_its_data_sheet_says()
    {
        var space = ConfigurationSpace.Decode(new Capture("sriov").Read().ConfigurationSpaces[PciAddress.Parse("0000:04:00.0")]);

        Assert.Equal((0x8086, 0x10c9, 0x020000, 1), (space.VendorId, space.DeviceId, space.ClassCode, space.Revision));
        Assert.Equal(HeaderType.Endpoint, space.Header);
        Assert.Equal(
            ["Power Management", "MSI", "MSI-X", "Express", "Advanced Error Reporting", "Alternative Routing-ID Interpretation", "Single Root I/O Virtualization"],
            space.Capabilities.Select(c => c.Name));
        Assert.Equal([0x40, 0x50, 0x70, 0xa0, 0x100, 0x150, 0x160], space.Capabilities.Select(c => c.Offset));
        Assert.Equal((10, true, 3, 0u, 0x2000u), (space.Msix!.Vectors, space.Msix.Enabled, space.Msix.TableBar, space.Msix.TableOffset, space.Msix.PendingOffset));
        Assert.Equal((ExpressPortType.Endpoint, true, new PciLink(2.5, 1, 2.5, 1)), (space.Express!.PortType, space.Express.FunctionLevelReset, space.Express.Link));
        Assert.Equal(new SriovCapability(8, 4, 0x10ca, 128, 2), space.Sriov!.ToCapability());
        Assert.True(space.Sriov.AriHierarchy);
        Assert.Equal([0xfe200000UL, 0xfe220000UL, 0xd000UL, 0xfe240000UL], space.BaseAddresses.Select(b => b.Address));
        Assert.Equal([0, 1, 2, 3], space.BaseAddresses.Select(b => b.Index));
        Assert.Equal([false, false, true, false], space.BaseAddresses.Select(b => b.IsIo));
        Assert.Empty(space.Problems);
    }

    [Fact]
    public void What_the_builder_writes_the_decoder_reads()
    {
        Prop.ForAll(
            ArbMap.Default.ArbFor<(ushort Vendor, ushort Device, byte Revision)>(), ArbMap.Default.ArbFor<(byte Msi, ushort Msix, bool Flr, bool Soft)>(),
            ArbMap.Default.ArbFor<(ushort Total, ushort Offset, ushort Stride, ushort VfDevice)>(), (ids, caps, vf) =>
            {
                var msi = 1 << (caps.Msi % 6);
                var msix = (caps.Msix % 2048) + 1;
                var express = new ExpressCapability(
                    0, 2, ExpressPortType.Endpoint, false, caps.Flr, new PciLink(8, 4, 16, 8), false, false, 0, false, false);
                var sriov = new SriovRegisters(0, true, false, true, vf.Total, vf.Total, vf.Total, 3, vf.Offset, vf.Stride, vf.VfDevice, 0x553, 1, [1, 2, 3, 4, 5, 6]);

                var space = ConfigurationSpace.Decode(new ConfigurationSpaceBuilder(ids.Vendor, ids.Device, 0x020000, ids.Revision, multifunction: caps.Soft)
                    .Subsystem(0x15d9, ids.Device).MemoryBar(0, 0x38_0000_0000, prefetchable: true).PowerManagement(caps.Soft).Msi(msi).Msix(msix, 4)
                    .Express(express).AdvancedFeatures(caps.Flr).AdvancedErrorReporting().Acs(AcsFlags.Isolation, AcsFlags.SourceValidation).Ari(1)
                    .Sriov(sriov).DeviceSerialNumber(0x0011_2233_4455_6677).Build());

                Assert.Equal((ids.Vendor, ids.Device, ids.Revision, caps.Soft), (space.VendorId, space.DeviceId, space.Revision, space.IsMultifunction));
                Assert.Equal((0x15d9, ids.Device), (space.Subsystem.VendorId, space.Subsystem.DeviceId));
                Assert.Equal(new BaseAddressRegister(0, 0x38_0000_0000, false, true, true), Assert.Single(space.BaseAddresses));
                Assert.Equal((caps.Soft, msi, msix, caps.Flr), (space.PowerManagement!.NoSoftReset, space.Msi!.Vectors, space.Msix!.Vectors, space.AdvancedFeatures!.FunctionLevelReset));
                Assert.Equal(express, space.Express! with { Offset = 0 });
                Assert.Equal((AcsFlags.Isolation, AcsFlags.SourceValidation), (space.Acs!.Capable, space.Acs.Enabled));
                Assert.Equal(1, space.Ari!.NextFunction);
                Assert.Equal(sriov.VfBaseAddresses, space.Sriov!.VfBaseAddresses);
                Assert.Equal(sriov with { VfBaseAddresses = [] }, space.Sriov with { Offset = 0, VfBaseAddresses = [] });
                Assert.Equal(0x0011_2233_4455_6677UL, space.DeviceSerialNumber);
                Assert.Empty(space.Problems);
            }).Check(Config.QuickThrowOnFailure.WithReplay(99, 7));
    }

    [Fact]
    public void A_bridge_has_its_subsystem_in_a_capability_and_its_buses_in_the_header()
    {
        var space = ConfigurationSpace.Decode(new ConfigurationSpaceBuilder(0x8086, 0x2030, 0x060400, header: HeaderType.Bridge)
            .Buses(new BridgeBuses(0x17, 0x18, 0x1b)).Subsystem(0x15d9, 0x0934).Build());

        Assert.Equal(new BridgeBuses(0x17, 0x18, 0x1b), space.Buses);
        Assert.Equal((0x15d9, 0x0934), (space.Subsystem.VendorId, space.Subsystem.DeviceId));
        Assert.Equal(ConfigurationSpace.ConventionalLength, space.Length);
    }

    [Theory]
    [InlineData(0x50, "loops")]
    [InlineData(0x40, "loops")]
    [InlineData(0x10, "into the header")]
    public void A_list_that_goes_wrong_ends_there_with_a_reason(byte next, string reason)
    {
        var bytes = new byte[256];
        (bytes[0x06], bytes[0x34]) = (0x10, 0x40);
        (bytes[0x40], bytes[0x41], bytes[0x50], bytes[0x51]) = (CapabilityIds.PowerManagement, 0x50, CapabilityIds.Msi, next);

        var space = ConfigurationSpace.Decode(bytes);

        Assert.Equal([CapabilityIds.PowerManagement, CapabilityIds.Msi], space.Capabilities.Select(c => c.Id));
        Assert.Contains(reason, Assert.Single(space.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void An_extended_list_that_loops_ends()
    {
        var bytes = new byte[4096];
        (bytes[0x100], bytes[0x102], bytes[0x103]) = (ExtendedCapabilityIds.AdvancedErrorReporting, 0x02, 0x20);
        (bytes[0x200], bytes[0x202], bytes[0x203]) = (ExtendedCapabilityIds.DeviceSerialNumber, 0x01, 0x10);

        var space = ConfigurationSpace.Decode(bytes);

        Assert.Equal(2, space.Capabilities.Count);
        Assert.Contains("loops", Assert.Single(space.Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(64, false, false)]
    [InlineData(256, true, false)]
    [InlineData(4096, true, true)]
    public void What_the_bytes_do_not_reach_is_unknown_and_not_absent(int length, bool knowsCapabilities, bool knowsExtended)
    {
        var whole = new Capture("sriov").Read().ConfigurationSpaces[PciAddress.Parse("0000:00:03.0")];

        var space = ConfigurationSpace.Decode(whole[..length]);

        Assert.Equal((knowsCapabilities, knowsExtended), (space.KnowsCapabilities, space.KnowsExtendedCapabilities));
        Assert.Equal((knowsCapabilities, knowsExtended), (space.Express is not null, space.Acs is not null));
        Assert.Null(space.Word(length - 1));
        Assert.NotNull(space.Byte(length - 1));
    }

    [Fact]
    public void Nothing_is_known_of_nothing()
    {
        var space = ConfigurationSpace.Decode(ReadOnlyMemory<byte>.Empty);

        Assert.Equal((HeaderType.Unknown, (ushort)0xffff, 0), (space.Header, space.VendorId, space.Capabilities.Count));
        Assert.Null(space.Buses);
        Assert.Empty(space.BaseAddresses);
    }
}
