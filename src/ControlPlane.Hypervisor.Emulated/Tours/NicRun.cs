using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Nics;

namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>What one way of a guest's frames has cost, for the same frames as every other.</summary>
/// <param name="Way">As the label says it; <c>sr-iov</c> for a function.</param>
internal sealed record NicCost(string Way, long Frames, long Exits, long Copies, long CopiedBytes, long Interrupts, long DroppedFrames);

/// <summary>
/// A guest with one NIC on an emulated host, and a station on its wire. Bursts of frames go out and come in, a fixed time apart, through whatever
/// lies between: driver, rings, back end, switch.
/// </summary>
internal sealed class NicRun : IDisposable
{
    private const string Network = "tour";

    private static readonly MacAddress GuestMac = new(0x5254_0000_0a01UL);
    private static readonly MacAddress StationMac = new(0x5254_0000_0a02UL);

    private readonly TourGround ground = new(EmulationOptions.Fast, hosts: 1);
    private readonly byte[] payload;
    private readonly EmulatedHost host;
    private readonly WireSwitch wire;
    private readonly GuestNic nic;
    private readonly NicCounters counters;
    private readonly Station station = new();

    /// <param name="frameBytes">Of each frame, its header included.</param>
    public NicRun(string way, int frameBytes)
    {
        payload = new byte[frameBytes - Frame.HeaderBytes];
        host = ((EmulatedHypervisor)ground.Hosts[0]).Model;
        EmulatedDomain domain = null!;
        ground.Run(async () =>
        {
            await TourNic.PrepareAsync(ground.Hosts[0], Network);
            domain = await TourNic.LaunchAsync(ground, way, Network, GuestMac);
        });
        using (host.Clock.Enter())
        {
            nic = host.HoldNetwork(domain, this).Carrier!.Nic;
            wire = domain.Device(TourNic.Name) is { } device
                ? host.Network.SwitchOf(host.Tree.Find(device.Claim.Address)!).Wire
                : host.Network.WireOf(Network);
            wire.Connect(station);
            wire.Send(station, new Frame(StationMac, Frame.Broadcast, null, Frame.AnnounceType, default));
        }
        Settle();
        counters = domain.Nics.All.Single();
    }

    /// <summary>The five ways of today's NICs, from the one that costs most.</summary>
    public static IReadOnlyList<string> Ways { get; } = ["e1000", "virtio", "xen", "vmdq", TourNic.Function];

    /// <summary>A device with processors of its own, which none of them is.</summary>
    public const string SelfVirtualized = "self-virtualized";

    /// <summary>Frames that reached the station.</summary>
    public long Heard => station.Heard;

    /// <summary>Sends so many frames at once from the guest, and then as many to it.</summary>
    public void Burst(int frames, TimeSpan apart)
    {
        var outgoing = new Frame(GuestMac, StationMac, null, Frame.TrafficType, payload);
        var incoming = new Frame(StationMac, GuestMac, null, Frame.TrafficType, payload);
        using (host.Clock.Enter())
        {
            for (var n = 1; n <= frames; n++)
                nic.Send(outgoing, more: n < frames);
        }
        ground.Time.Advance(apart);
        using (host.Clock.Enter())
        {
            for (var n = 0; n < frames; n++)
                wire.Send(station, incoming);
        }
        ground.Time.Advance(apart);
    }

    /// <summary>So many bursts of 16 frames each way, 20 microseconds apart: nearly what a busy ten-gigabit link brings.</summary>
    /// <returns>Frames that were sent, both ways.</returns>
    public long Bursts(int bursts)
    {
        const int each = 16;
        for (var burst = 0; burst < bursts; burst++)
            Burst(each, TimeSpan.FromMicroseconds(20));
        return 2L * each * bursts;
    }

    /// <summary>The cost of so many bursts.</summary>
    public static NicCost Measure(string way, int bursts, int frameBytes)
    {
        using var run = new NicRun(way, frameBytes);
        var before = run.Cost(way);
        run.Bursts(bursts);
        run.Settle();
        var after = run.Cost(way);
        return new NicCost(
            way, after.Frames - before.Frames, after.Exits - before.Exits, after.Copies - before.Copies, after.CopiedBytes - before.CopiedBytes,
            after.Interrupts - before.Interrupts, after.DroppedFrames - before.DroppedFrames);
    }

    public void Dispose() => ground.Dispose();

    private NicCost Cost(string way) => new(
        way, counters[NicCount.TransmittedFrames] + counters[NicCount.ReceivedFrames], counters[NicCount.Exits], counters[NicCount.Copies],
        counters[NicCount.CopiedBytes], counters[NicCount.Interrupts], counters[NicCount.DroppedFrames]);

    /// <summary>Lets everything happen that is due within a moment.</summary>
    private void Settle()
    {
        ground.Time.Advance(TimeSpan.FromMilliseconds(1));
        host.Clock.Enter().Dispose();
    }

    private sealed class Station : SwitchPort
    {
        public long Heard { get; private set; }

        public override void Receive(Frame frame) => Heard += frame.EtherType == Frame.TrafficType ? 1 : 0;
    }
}
