using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.DeviceModels;

/// <summary>Writes the configuration space that a function of a model has. <see cref="ConfigurationSpace"/> reads back what the model says.</summary>
public static class ModelSpace
{
    // Obeys memory accesses, masters the bus.
    private const ushort Commands = 0x0006;

    // 4 and 8 KiB, 64 and 256 KiB, 1 and 4 MiB: what most devices show.
    private const uint PageSizes = 0x553;

    /// <param name="multifunction">Other functions share its device.</param>
    /// <param name="link">As it was negotiated; null: the widest and fastest of the model.</param>
    /// <param name="sriov">See <see cref="Sriov"/>; null: without.</param>
    public static byte[] Build(DeviceModel model, AddressMap addresses, bool multifunction = false, PciLink? link = null, SriovRegisters? sriov = null)
    {
        var (capabilities, builder) = (model.Capabilities, new ConfigurationSpaceBuilder(
            model.VendorId, model.DeviceId, model.ClassCode, model.Revision, HeaderType.Endpoint, multifunction));
        builder.Command(Commands).Subsystem(model.Subsystem.VendorId, model.Subsystem.DeviceId);
        foreach (var bar in model.Bars)
        {
            if (bar.IsIo)
                builder.IoBar(bar.Index, addresses.Take(bar));
            else
                builder.MemoryBar(bar.Index, addresses.Take(bar), bar.Is64Bit, bar.Prefetchable);
        }
        if (capabilities.NoSoftReset is { } noSoftReset)
            builder.PowerManagement(noSoftReset);
        if (capabilities.MsiVectors > 0)
            builder.Msi(capabilities.MsiVectors);
        if (capabilities.Msix is { } msix)
            builder.Msix(msix.Vectors, msix.Bar, msix.TableOffset, msix.PendingOffset);
        if (capabilities.Express is { } express)
            AddExpress(builder, capabilities, express, link ?? express.Link, sriov);
        return builder.Build();
    }

    /// <summary>The capability with so many virtual functions switched on.</summary>
    /// <param name="function">The number of the physical function on its device.</param>
    public static SriovRegisters Sriov(ModelSriov model, AddressMap addresses, int function, int count)
    {
        var bars = new uint[6];
        foreach (var bar in model.Bars)
        {
            var address = addresses.Take(bar, model.Total);
            bars[bar.Index] = ((uint)address & 0xffff_fff0) | (bar.Is64Bit ? 4u : 0) | (bar.Prefetchable ? 8u : 0);
            if (bar.Is64Bit)
                bars[bar.Index + 1] = (uint)(address >> 32);
        }
        return new SriovRegisters(
            0, count > 0, count > 0, true, model.Total, model.Total, count, function, model.OffsetOf(function), model.Stride, model.DeviceId, PageSizes, 1, bars);
    }

    /// <summary>The space of each of its virtual functions (<see cref="VirtualFunctionSpace"/>).</summary>
    public static byte[] BuildVirtual(ModelSriov model, ConfigurationSpace physical) => model.Msix is { } msix
        ? VirtualFunctionSpace.Build(physical, msix.Vectors, msix.Bar, msix.TableOffset, msix.PendingOffset, model.AtsQueueDepth)
        : VirtualFunctionSpace.Build(physical, 0, atsQueueDepth: model.AtsQueueDepth);

    private static void AddExpress(ConfigurationSpaceBuilder builder, ModelCapabilities capabilities, ModelExpress express, PciLink? link, SriovRegisters? sriov)
    {
        builder.Express(new ExpressCapability(0, 2, express.Type, false, express.FunctionLevelReset, link, false, false, 0, false, false));
        if (capabilities.AdvancedErrorReporting)
            builder.AdvancedErrorReporting();
        if (capabilities.Acs)
            builder.Acs(AcsFlags.None, AcsFlags.None);
        if (capabilities.Ari)
            builder.Ari(0);
        if (capabilities.AtsQueueDepth is { } depth)
            builder.Ats(depth);
        if (sriov is not null)
            builder.Sriov(sriov);
    }
}
