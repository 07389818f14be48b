using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>
/// Which bits of base address registers can be written: those above the size of what is behind them. A driver that writes all ones reads the size back
/// (PCI local bus specification 3.0, 6.2.5.1).
/// </summary>
internal static class BarSizing
{
    /// <summary>For each of the six registers; null: the registers are not those of the model, as under a hypervisor that plays the device.</summary>
    public static IReadOnlyList<uint>? MasksOf(DeviceModel model, ReadOnlyMemory<byte> image)
    {
        var described = ConfigurationSpace.Decode(image).BaseAddresses;
        var alike = described.Count == model.Bars.Count && model.Bars.All(m => described.Any(d =>
            (d.Index, d.IsIo, d.Is64Bit, d.Prefetchable) == (m.Index, m.IsIo, m.Is64Bit, m.Prefetchable) && (d.Address & ((ulong)m.Bytes - 1)) == 0));
        if (!alike || model.Bars.Count == 0)
            return null;
        var masks = new uint[6];
        foreach (var bar in model.Bars)
        {
            var address = ~((ulong)bar.Bytes - 1);
            masks[bar.Index] = (uint)address & (bar.IsIo ? 0xffff_fffc : 0xffff_fff0);
            if (bar.Is64Bit)
                masks[bar.Index + 1] = (uint)(address >> 32);
        }
        return masks;
    }
}
