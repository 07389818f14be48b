using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.DeviceModels;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Inventory.Tests.DeviceModels;

public sealed class ShippedModelsTests
{
    public static TheoryData<string> All => new(DeviceModelCatalog.Shipped.Models.Select(m => m.Name));

    public static TheoryData<string> WithVirtualFunctions => new(DeviceModelCatalog.Shipped.Models.Where(m => m.Sriov is not null).Select(m => m.Name));

    [Fact]
    public void Each_file_is_the_model_of_its_name()
    {
        var files = typeof(DeviceModel).Assembly.GetManifestResourceNames().Where(n => n.StartsWith("device-models/", StringComparison.Ordinal));

        Assert.Equal(DeviceModelCatalog.Shipped.Models.Select(m => $"device-models/{m.Name}.yaml").Order(StringComparer.Ordinal), files.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void The_configuration_space_of_a_model_reads_back_as_its_file_says(string name)
    {
        var model = Find(name);
        var (addresses, said) = (new AddressMap(), model.Capabilities);
        var sriov = model.Sriov is { } makes ? ModelSpace.Sriov(makes, addresses, 1, Math.Min(2, makes.Total)) : null;

        var space = ConfigurationSpace.Decode(ModelSpace.Build(model, addresses, multifunction: true, sriov: sriov));

        Assert.Empty(space.Problems);
        Assert.Equal((model.VendorId, model.DeviceId, model.ClassCode, model.Revision, model.Subsystem), (space.VendorId, space.DeviceId, space.ClassCode, space.Revision, space.Subsystem));
        Assert.True(space.IsMultifunction);
        Assert.Equal(
            model.Bars.Select(b => (b.Index, b.IsIo, b.Is64Bit, b.Prefetchable)), space.BaseAddresses.Select(b => (b.Index, b.IsIo, b.Is64Bit, b.Prefetchable)));
        Assert.All(model.Bars.Zip(space.BaseAddresses), b => Assert.Equal(0UL, b.Second.Address % (ulong)b.First.Bytes));
        Assert.Equal(said.NoSoftReset, space.PowerManagement?.NoSoftReset);
        Assert.Equal(said.MsiVectors, space.Msi?.Vectors ?? 0);
        Assert.Equal(said.Msix, Shown(space.Msix));
        Assert.Equal(said.Express, space.Express is { } express ? new ModelExpress(express.PortType, express.FunctionLevelReset, express.Link) : null);
        Assert.Equal(
            (said.AdvancedErrorReporting, said.Acs, said.Ari, said.AtsQueueDepth),
            (space.Capabilities.Any(c => c is { Extended: true, Id: ExtendedCapabilityIds.AdvancedErrorReporting }), space.Acs is not null, space.Ari is not null, space.Ats?.InvalidateQueueDepth));
        Assert.Equal(
            model.Sriov is { } says ? (says.Total, says.DeviceId, says.OffsetOf(1), says.Stride, 2) : default,
            space.Sriov is { } shows ? (shows.TotalVfs, shows.VfDeviceId, shows.FirstVfOffset, shows.VfStride, shows.VfCount) : default);
    }

    [Theory]
    [MemberData(nameof(WithVirtualFunctions))]
    public void The_registers_of_virtual_functions_are_in_their_makers_capability_and_their_interrupts_in_their_own(string name)
    {
        var (model, addresses) = (Find(name), new AddressMap());
        var makes = model.Sriov!;
        var physical = ConfigurationSpace.Decode(ModelSpace.Build(model, addresses, sriov: ModelSpace.Sriov(makes, addresses, 0, 1)));

        var made = ConfigurationSpace.Decode(ModelSpace.BuildVirtual(makes, physical));

        Assert.Equal((0xffff, 0xffff, model.ClassCode), (made.VendorId, made.DeviceId, made.ClassCode));
        Assert.Empty(made.BaseAddresses);
        Assert.Equal(makes.Msix, Shown(made.Msix));
        Assert.Equal(makes.AtsQueueDepth, made.Ats?.InvalidateQueueDepth);
        Assert.True(made.Express!.FunctionLevelReset);
        foreach (var bar in makes.Bars)
        {
            var low = physical.Sriov!.VfBaseAddresses[bar.Index];
            Assert.Equal((bar.Is64Bit ? 4u : 0) | (bar.Prefetchable ? 8u : 0), low & 0xf);
            var address = (low & ~0xfUL) | (bar.Is64Bit ? (ulong)physical.Sriov.VfBaseAddresses[bar.Index + 1] << 32 : 0);
            Assert.True(address > 0 && address % (ulong)bar.Bytes == 0);
        }
    }

    [Fact]
    public void No_two_registers_of_a_machine_overlap()
    {
        foreach (var profile in ProfileCatalog.Shipped.Profiles.Where(p => p.Hardware.Inventory.Functions.Any(f => f.DeviceId is 0x1528 or 0xa824)))
        {
            var ranges = new List<(ulong First, ulong Last)>();
            foreach (var function in profile.Hardware.Inventory.Functions.Where(f => !f.IsBridge && f.Function != FunctionKind.Virtual))
            {
                if (profile.Models.Find(function.VendorId, function.DeviceId) is not { } model)
                    continue;
                var space = ConfigurationSpace.Decode(profile.Hardware.ConfigurationSpaces[function.Address]);
                ranges.AddRange(model.Bars.Zip(space.BaseAddresses).Where(b => !b.First.IsIo).Select(b => (b.Second.Address, b.Second.Address + (ulong)b.First.Bytes - 1)));
                foreach (var bar in model.Sriov?.Bars ?? [])
                {
                    var first = ((ulong)space.Sriov!.VfBaseAddresses[bar.Index + 1] << 32) | (space.Sriov.VfBaseAddresses[bar.Index] & ~0xfUL);
                    ranges.Add((first, first + ((ulong)bar.Bytes * (ulong)space.Sriov.TotalVfs) - 1));
                }
            }
            ranges.Sort();

            Assert.True(ranges.Count > 4);
            Assert.All(ranges.Zip(ranges.Skip(1)), pair => Assert.True(pair.First.Last < pair.Second.First));
        }
    }

    [Fact] // NVIDIA Virtual GPU Software User Guide: a type's framebuffer and its most instances fit the device.
    public void As_many_instances_of_a_type_fit_an_A100_as_its_file_says()
    {
        var kinds = Find("a100-pcie-80gb").Mediated!;

        Assert.All(kinds.Types, type => Assert.True(
            type.FramebufferMiB * type.Instances <= kinds.FramebufferMiB && type.Slices * type.Instances <= kinds.Slices, type.Name));
        Assert.Same(kinds.Find("nvidia-692"), kinds.Find("A100D-4C"));
        Assert.Null(kinds.Find("A100D-5C"));
    }

    private static DeviceModel Find(string name) => DeviceModelCatalog.Shipped.Find(name)!;

    private static ModelMsix? Shown(MsixCapability? msix) =>
        msix is null ? null : new ModelMsix(msix.Vectors, msix.TableBar, msix.TableOffset, msix.PendingOffset) is var shown && msix.PendingBar == msix.TableBar ? shown : null;
}
