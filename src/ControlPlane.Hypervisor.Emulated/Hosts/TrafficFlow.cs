using System.Buffers.Binary;
using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>
/// The frames that one guest sends by itself. They flow for a while after somebody has looked, each burst at its own instant, and then no more
/// until the next look: a fleet that nobody watches computes nothing.
/// </summary>
internal sealed class TrafficFlow
{
    /// <summary>Of model time, after a look.</summary>
    private static readonly TimeSpan Lasts = TimeSpan.FromSeconds(5);

    /// <summary>After a look, however fast the guest sends: what one look can make the server compute is bounded.</summary>
    private const int FramesPerLook = 5000;

    private const int FramesPerBurst = 32;
    private const int SegmentBytes = 1460;

    private readonly EmulatedHost host;
    private readonly EmulatedDomain domain;
    private readonly TrafficPattern pattern;
    private readonly byte[] payload;
    private readonly TimeSpan distance;
    private readonly Action tick;
    private (EmulatedHost Host, EmulatedDomain Domain)? peer;
    private DateTimeOffset until;
    private int left;
    private bool flowing;
    private long sequence;

    public TrafficFlow(EmulatedHost host, EmulatedDomain domain, TrafficPattern pattern)
    {
        (this.host, this.domain, this.pattern) = (host, domain, pattern);
        payload = new byte[pattern.FrameBytes - Frame.HeaderBytes];
        // Slow guests send frame by frame, fast ones in bursts; a whole number of ticks, so that the same comes out everywhere.
        // A large frame may become more segments than a ring holds of several.
        var frames = pattern.FrameBytes > TrafficPattern.LongestFrame ? 1 : Math.Clamp(pattern.FramesPerSecond / 100, 1, FramesPerBurst);
        FramesEach = frames;
        distance = TimeSpan.FromTicks(TimeSpan.TicksPerSecond * frames / pattern.FramesPerSecond);
        tick = Tick;
    }

    public EmulatedDomain Domain => domain;

    public TrafficPattern Pattern => pattern;

    private int FramesEach { get; }

    /// <summary>Somebody looks: the guest sends from now on, for a while.</summary>
    public void Look()
    {
        until = host.Clock.Now + Lasts;
        left = FramesPerLook;
        if (flowing || domain.State != DomainState.Running)
            return;
        flowing = true;
        host.HoldNetwork(domain, this);
        WakePeer();
        host.Clock.Quietly(host.Clock.Now, tick);
    }

    private void Tick()
    {
        if (!domain.IsOn || host.Clock.Now > until || left <= 0)
        {
            flowing = false;
            GuestNetwork.Release(domain, this);
            ReleasePeer();
            return;
        }
        host.HoldNetwork(domain, this);
        if (peer is not { Domain.IsOn: true })
            WakePeer();
        if (domain.Network!.Carrier is { } carrier)
            Send(carrier);
        host.Clock.Quietly(host.Clock.Now + distance, tick);
    }

    /// <summary>A peer that nobody watches has no NICs yet; it may have moved to another host meanwhile.</summary>
    private void WakePeer()
    {
        if (pattern.Peer is not { } mac)
            return;
        ReleasePeer();
        peer = host.Directory.Find(mac, host.Clock.Now);
        if (peer is { } found)
            found.Host.HoldNetwork(found.Domain, this);
    }

    private void ReleasePeer()
    {
        if (peer is { } present)
            GuestNetwork.Release(present.Domain, this);
        peer = null;
    }

    private void Send(WiredNic carrier)
    {
        var target = pattern.Peer ?? EchoStation.Mac;
        if (pattern.Peer is null)
            carrier.Wire.ConnectEchoStation();
        for (var n = 1; n <= FramesEach; n++, left--)
        {
            if (pattern.FrameBytes > TrafficPattern.LongestFrame)
                SendLarge(carrier, target, more: n < FramesEach);
            else
                SendOne(carrier, target, more: n < FramesEach);
        }
    }

    private void SendOne(WiredNic carrier, MacAddress target, bool more)
    {
        BinaryPrimitives.WriteInt64BigEndian(payload, sequence++);
        carrier.Nic.Send(new Frame(carrier.Mac, target, null, Frame.TrafficType, payload), more);
    }

    /// <summary>A guest whose NIC cuts sends the frame whole; another one's stack cuts it, and pays for each segment.</summary>
    private void SendLarge(WiredNic carrier, MacAddress target, bool more)
    {
        TcpPacket.Format(payload, carrier.Mac, target, (uint)sequence);
        sequence += payload.Length - TcpPacket.FormattedBytes;
        var frame = new Frame(carrier.Mac, target, null, TcpPacket.EtherType, payload) { SegmentBytes = SegmentBytes };
        if (carrier.Nic.CutsLargeFrames)
        {
            carrier.Nic.Send(frame, more);
            return;
        }
        var segments = (payload.Length - TcpPacket.FormattedBytes + SegmentBytes - 1) / SegmentBytes;
        TcpSegmenter.Cut(frame, segment => carrier.Nic.Send(segment, more || --segments > 0));
    }
}
