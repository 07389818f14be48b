namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>The same frames through each of the ways between a guest and its NIC.</summary>
internal sealed class NicTour : ITour
{
    private const int Bursts = 250;
    private const int FrameBytes = 1514;

    public string Name => "nic";

    public string Summary => "One NIC, six ways: exits, copies and interrupts of the same frames";

    public void Run(TextWriter output)
    {
        output.WriteLine($"{Bursts} bursts of 16 frames out and 16 in, 20 us apart, {FrameBytes} bytes each. Of a thousand frames:");
        output.WriteLine();
        var table = new TourTable("way", "exits", "copies", "KiB copied", "interrupts");
        foreach (var way in NicRun.Ways.Append(NicRun.SelfVirtualized))
        {
            var cost = NicRun.Measure(way, Bursts, FrameBytes);
            table.Add(way, Of(cost.Exits), Of(cost.Copies), Of(cost.CopiedBytes / 1024), Of(cost.Interrupts));

            long Of(long count) => ((count * 1000) + (cost.Frames / 2)) / cost.Frames;
        }
        table.WriteTo(output);
    }
}
