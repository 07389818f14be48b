namespace ControlPlane.Inventory.DeviceModels;

/// <summary>Gives base address registers their addresses, as firmware does: each aligned to its size, in the window of its kind.</summary>
public sealed class AddressMap
{
    private const ulong LastPort = 0xffff;
    private const ulong LastNarrow = 0xfbff_ffff;

    private ulong nextPort = 0x1000;
    private ulong nextNarrow = 0x9000_0000;
    private ulong nextWide = 0x20_0010_0000;

    /// <param name="copies">Virtual functions that have the register, side by side.</param>
    /// <returns>0 when the window is full: the register stays without an address, and its function does not decode it.</returns>
    public ulong Take(ModelBar bar, int copies = 1)
    {
        if (bar.IsIo)
            return Take(ref nextPort, LastPort, bar, copies);
        return bar.Is64Bit ? Take(ref nextWide, ulong.MaxValue >> 12, bar, copies) : Take(ref nextNarrow, LastNarrow, bar, copies);
    }

    private static ulong Take(ref ulong next, ulong last, ModelBar bar, int copies)
    {
        var size = (ulong)bar.Bytes;
        var address = (next + size - 1) & ~(size - 1);
        var end = address + (size * (ulong)copies);
        if (end - 1 > last)
            return 0;
        next = end;
        return address;
    }
}
