using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Tests.Net;

/// <summary>Large TCP frames: cut, joined, or let through whole.</summary>
public sealed class SegmentationTests : IDisposable
{
    private const int Mss = 1460;

    private readonly ModelClock clock = new(new VirtualTime());
    private readonly WireSwitch wire = new("lab");
    private readonly List<Frame> heard = [];

    public void Dispose() => clock.Dispose();

    /// <summary>A frame whose payload is no two segments alike.</summary>
    private static Frame Large(int payloadBytes, byte flags = TcpPacket.Acknowledge)
    {
        var packet = new byte[TcpPacket.FormattedBytes + payloadBytes];
        for (var n = TcpPacket.FormattedBytes; n < packet.Length; n++)
            packet[n] = (byte)(n * 7 % 251);
        TcpPacket.Format(packet, NicStand.Guest, NicStand.Other, sequence: 0xffff_f000);
        Assert.True(TcpPacket.TryRead(packet, out var read));
        read.Flags = flags;
        return new Frame(NicStand.Guest, NicStand.Other, null, TcpPacket.EtherType, packet) { SegmentBytes = Mss };
    }

    private static List<Frame> Cut(Frame frame)
    {
        var segments = new List<Frame>();
        TcpSegmenter.Cut(frame, s => segments.Add(s with { Payload = s.Payload.ToArray() }));
        return segments;
    }

    [Fact] // 64,000 bytes at 1,460 a segment are 44 segments, the last of 1,220.
    public void Sixty_four_thousand_bytes_are_cut_into_44_sound_segments()
    {
        var segments = Cut(Large(64_000));

        Assert.Equal(44, segments.Count);
        Assert.All(segments, s => Assert.True(TcpPacket.TryRead(s.Payload.ToArray(), out var packet) && packet.IsSound));
        Assert.Equal(64_000 % Mss, segments[^1].Payload.Length - TcpPacket.FormattedBytes);
        Assert.All(segments, s => Assert.True(s is { SegmentBytes: 0, Bytes: <= 1514 }));
    }

    [Fact]
    public void Sequence_numbers_and_identifications_go_on_and_only_the_last_segment_ends()
    {
        const byte flags = TcpPacket.Acknowledge | TcpPacket.Push | TcpPacket.Fin | TcpPacket.WindowReduced;
        var segments = Cut(Large(3 * Mss, flags));

        for (var n = 0; n < 3; n++)
        {
            Assert.True(TcpPacket.TryRead(segments[n].Payload.ToArray(), out var packet));
            Assert.Equal(unchecked(0xffff_f000 + (uint)(n * Mss)), packet.Sequence);
            Assert.Equal(n, packet.Identification);
            Assert.Equal(n == 2, (packet.Flags & (TcpPacket.Fin | TcpPacket.Push)) != 0);
            Assert.Equal(n == 0, (packet.Flags & TcpPacket.WindowReduced) != 0);
        }
    }

    [Fact]
    public void A_changed_byte_makes_a_segment_unsound()
    {
        var packet = Cut(Large(Mss))[0].Payload.ToArray();
        packet[100] ^= 1;

        Assert.True(TcpPacket.TryRead(packet, out var read));
        Assert.False(read.IsSound);
    }

    [Fact]
    public void Joining_gives_back_what_was_cut()
    {
        var large = Large(20_000);
        var joiner = new TcpJoiner();
        Assert.All(Cut(large), s => Assert.True(joiner.TryHold(s)));
        Assert.True(joiner.IsEnded);

        var (joined, segments) = joiner.Release();

        Assert.Equal((14, Mss), (segments, joined.SegmentBytes));
        Assert.Equal(large.Payload.ToArray()[TcpPacket.FormattedBytes..], joined.Payload.ToArray()[TcpPacket.FormattedBytes..]);
        Assert.Equal(Cut(large).Select(s => s.Payload.ToArray()), Cut(joined).Select(s => s.Payload.ToArray()));
    }

    [Fact]
    public void Only_what_follows_is_joined()
    {
        var segments = Cut(Large(5 * Mss));
        var joiner = new TcpJoiner();
        Assert.True(joiner.TryHold(segments[0]));

        Assert.False(joiner.TryHold(segments[2]));
        Assert.False(joiner.TryHold(segments[1] with { Vlan = 7 }));
        Assert.False(joiner.TryHold(NicStand.NewFrame()));
        Assert.True(joiner.TryHold(segments[1]));
    }

    [Fact]
    public void Between_guests_that_take_large_frames_nothing_is_cut()
    {
        var bridge = BridgeWith(large: true);

        bridge.SendFrom(null, Sender, Large(64_000));

        Assert.Equal(Mss, Assert.Single(heard).SegmentBytes);
        Assert.Equal((1, 0), (bridge.LargeFrames, bridge.CutFrames));
    }

    [Fact]
    public void A_neighbour_that_takes_none_gets_segments()
    {
        var bridge = BridgeWith(large: false);

        bridge.SendFrom(null, Sender, Large(64_000));

        Assert.Equal(44, heard.Count);
        Assert.Equal((1, 44), (bridge.CutFrames, bridge.Segments));
    }

    [Fact]
    public void What_leaves_the_host_is_cut_and_what_comes_in_is_joined()
    {
        var (source, target) = (new SoftwareBridge(wire, clock), BridgeWith(large: true));
        wire.Connect(source);
        wire.Connect(target);

        source.SendFrom(null, Sender, Large(64_000));
        clock.Enter().Dispose();

        Assert.Equal((44, 44), (source.Segments, target.JoinedSegments));
        var joined = Assert.Single(heard);
        Assert.Equal((Mss, 64_000 + TcpPacket.FormattedBytes), (joined.SegmentBytes, joined.Payload.Length));
    }

    [Fact]
    public void Segments_that_do_not_end_wait_no_longer_than_their_burst()
    {
        var bridge = BridgeWith(large: true);
        foreach (var segment in Cut(Large(5 * Mss)).Take(3))
            bridge.Receive(segment);
        Assert.Empty(heard);

        clock.Enter().Dispose();

        Assert.Equal(3 * Mss + TcpPacket.FormattedBytes, Assert.Single(heard).Payload.Length);
    }

    private static ListeningNic Sender { get; } = new(_ => { });

    private SoftwareBridge BridgeWith(bool large)
    {
        var bridge = new SoftwareBridge(wire, clock);
        bridge.Attach(null, NicStand.Other, new ListeningNic(heard.Add, large));
        return bridge;
    }
}
