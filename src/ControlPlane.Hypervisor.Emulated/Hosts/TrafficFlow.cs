using System.Buffers.Binary;
using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Net;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>The frames that one guest sends by itself, each burst at its own instant.</summary>
internal sealed class TrafficFlow
{
    private const int FramesPerBurst = 32;
    private const int SegmentBytes = 1460;

    private readonly EmulatedHost host;
    private readonly EmulatedDomain domain;
    private readonly TrafficPattern pattern;
    private readonly byte[] payload;
    private readonly GuestFlow flow;
    private (EmulatedHost Host, EmulatedDomain Domain)? peer;
    private long sequence;

    public TrafficFlow(EmulatedHost host, EmulatedDomain domain, TrafficPattern pattern)
    {
        (this.host, this.domain, this.pattern) = (host, domain, pattern);
        payload = new byte[pattern.FrameBytes - Frame.HeaderBytes];
        // A large frame may become more segments than a ring holds of several.
        flow = new GuestFlow(host, domain, pattern.FramesPerSecond, IsLarge ? 1 : FramesPerBurst, Send) { Begins = Begin, Ends = End };
    }

    public TrafficPattern Pattern => pattern;

    private bool IsLarge => pattern.FrameBytes > TrafficPattern.LongestFrame;

    /// <summary>Somebody looks: the guest sends from now on, for a while.</summary>
    public void Look() => flow.Look();

    private void Begin()
    {
        host.HoldNetwork(domain, this);
        WakePeer();
    }

    private void End()
    {
        GuestNetwork.Release(domain, this);
        ReleasePeer();
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

    private void Send(int frames)
    {
        host.HoldNetwork(domain, this);
        if (peer is not { Domain.IsOn: true })
            WakePeer();
        if (domain.Network!.Carrier is not { } carrier)
            return;
        var target = pattern.Peer ?? EchoStation.Mac;
        if (pattern.Peer is null)
            carrier.Wire.ConnectEchoStation();
        while (frames-- > 0)
        {
            if (IsLarge)
                SendLarge(carrier, target, more: frames > 0);
            else
                SendOne(carrier, target, more: frames > 0);
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
