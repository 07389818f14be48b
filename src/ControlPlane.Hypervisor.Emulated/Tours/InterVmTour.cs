using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Nics;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>Large frames between two guests of one host: cut or not, over the bridge or inside the NIC.</summary>
internal sealed class InterVmTour : ITour
{
    private const string Network = "tour";

    private static readonly MacAddress Sender = new(0x5254_0000_0a01UL);
    private static readonly MacAddress Receiver = new(0x5254_0000_0a02UL);

    public string Name => "inter-vm";

    public string Summary => "Two guests on one host: large frames whole, cut by the guest, or cut inside the NIC";

    public void Run(TextWriter output)
    {
        output.WriteLine("One guest sends 20 TCP frames of 64,000 bytes a second to its neighbour, for as long as somebody looks.");
        output.WriteLine("Of each of these frames, at both guests together:");
        output.WriteLine();
        var table = new TourTable("way", "cut by", "frames in rings", "copies", "KiB copied", "exits", "interrupts");
        foreach (var (way, offload, cutBy) in new[]
                 {
                     ("virtio", "on", "nobody"), ("virtio", "off", "the sender"), ("xen", "off", "the sender"), ("e1000", "off", "the sender"),
                     (TourNic.Function, "on", "the NIC"), (TourNic.Function, "off", "the sender"),
                 })
            table.Add([way, cutBy, .. Measure(way, offload)]);
        table.WriteTo(output);
        output.WriteLine("None of them was on the wire.");
    }

    private static object[] Measure(string way, string offload)
    {
        using var ground = new TourGround(EmulationOptions.Fast, hosts: 1);
        object[]? row = null;
        ground.Run(async () => row = await MeasureAsync(ground, way, offload));
        return row!;
    }

    private static async Task<object[]> MeasureAsync(TourGround ground, string way, string offload)
    {
        var host = ground.Hosts[0];
        await TourNic.PrepareAsync(host, Network);
        var target = await TourNic.LaunchAsync(ground, way, Network, Receiver, (GuestLabels.Offload, offload));
        var source = await TourNic.LaunchAsync(
            ground, way, Network, Sender, (GuestLabels.Offload, offload), (GuestLabels.Traffic, $"{Receiver}@20x64000"));
        TourGround.Ok(await host.Statistics.ReadDomainStatisticsAsync(source.Vm, default));
        await Task.Delay(TimeSpan.FromSeconds(1), ground.Time);
        var before = await CountAsync();
        await Task.Delay(TimeSpan.FromSeconds(2), ground.Time);
        var after = await CountAsync();
        const int frames = 2 * 20;
        return [.. after.Zip(before, (now, then) => (object)Math.Round((double)(now - then) / frames, 1))];

        async Task<long[]> CountAsync()
        {
            // Whoever looks lets happen what is due.
            TourGround.Ok(await host.PingAsync(default));
            return
            [
                Sum(NicCount.TransmittedFrames), Sum(NicCount.Copies), Sum(NicCount.CopiedBytes) / 1024, Sum(NicCount.Exits), Sum(NicCount.Interrupts),
            ];
        }

        long Sum(NicCount what) => source.Nics.All.Concat(target.Nics.All).Sum(c => c[what]);
    }
}
