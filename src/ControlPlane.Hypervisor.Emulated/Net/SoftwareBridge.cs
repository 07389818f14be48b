using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>
/// A host's software bridge on one wire: it joins its guests' NICs with the network. Large frames pass whole between guests that take them;
/// they are cut for the others and for the wire, and what comes from the wire in segments is joined.
/// </summary>
internal sealed class SoftwareBridge(WireSwitch wire, ModelClock clock) : SwitchPort, ICounting
{
    private readonly Dictionary<(int Vlan, MacAddress Mac), GuestNic> taps = [];
    private readonly TcpJoiner joiner = new();
    private bool flushPlanned;

    public WireSwitch Wire => wire;

    public long LocalFrames { get; private set; }

    public long WireFrames { get; private set; }

    /// <summary>Large frames that went from guest to guest uncut.</summary>
    public long LargeFrames { get; private set; }

    public long CutFrames { get; private set; }

    /// <summary>What cut frames became.</summary>
    public long Segments { get; private set; }

    /// <summary>Segments from the wire that were joined into large frames.</summary>
    public long JoinedSegments { get; private set; }

    /// <summary>Frames from the wire for nobody here.</summary>
    public long StrayFrames { get; private set; }

    public void Attach(int? vlan, MacAddress mac, GuestNic nic) => taps[(vlan ?? 0, mac)] = nic;

    public void Detach(int? vlan, MacAddress mac) => taps.Remove((vlan ?? 0, mac));

    public override void Receive(Frame frame)
    {
        if (taps.TryGetValue((frame.Vlan ?? 0, frame.Destination), out var nic))
            ReceiveFor(nic, frame);
        else if (frame.Destination.IsMulticast)
            Flood(frame, except: null);
        else
            StrayFrames++;
    }

    /// <summary>A guest sends: to a neighbour on the bridge, or out.</summary>
    public void SendFrom(int? vlan, GuestNic sender, Frame frame)
    {
        var tagged = frame with { Vlan = vlan };
        if (taps.TryGetValue((vlan ?? 0, frame.Destination), out var neighbour) && neighbour != sender)
        {
            LocalFrames++;
            Deliver(neighbour, tagged);
            return;
        }
        if (frame.Destination.IsMulticast)
            Flood(tagged, sender);
        if (tagged.SegmentBytes > 0)
            Cut(tagged, ToWire);
        else
            ToWire(tagged);
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("bridge", "local-frames", LocalFrames);
        sheet.Add("bridge", "wire-frames", WireFrames);
        sheet.Add("bridge", "large-frames", LargeFrames);
        sheet.Add("bridge", "cut-frames", CutFrames);
        sheet.Add("bridge", "segments", Segments);
        sheet.Add("bridge", "joined-segments", JoinedSegments);
        sheet.Add("bridge", "stray-frames", StrayFrames);
    }

    private void ToWire(Frame frame)
    {
        WireFrames++;
        wire.Send(this, frame);
    }

    private void Cut(Frame frame, Action<Frame> to)
    {
        CutFrames++;
        TcpSegmenter.Cut(frame, segment =>
        {
            Segments++;
            to(segment);
        });
    }

    private void Deliver(GuestNic nic, Frame frame)
    {
        if (frame.SegmentBytes == 0 || nic.TakesLargeFrames)
        {
            LargeFrames += frame.SegmentBytes > 0 ? 1 : 0;
            nic.Receive(frame);
        }
        else
        {
            Cut(frame, nic.Receive);
        }
    }

    /// <summary>Segments of one burst are held until the burst is over or something else comes.</summary>
    private void ReceiveFor(GuestNic nic, Frame frame)
    {
        if (nic.TakesLargeFrames && joiner.TryHold(frame))
        {
            if (joiner.IsEnded)
                Flush();
            else
                PlanFlush();
            return;
        }
        Flush();
        if (nic.TakesLargeFrames && joiner.TryHold(frame))
            PlanFlush();
        else
            Deliver(nic, frame);
    }

    private void PlanFlush()
    {
        if (flushPlanned)
            return;
        flushPlanned = true;
        clock.Quietly(clock.Now, () =>
        {
            flushPlanned = false;
            Flush();
        });
    }

    private void Flush()
    {
        if (!joiner.IsHolding)
            return;
        var (frame, segments) = joiner.Release();
        if (!taps.TryGetValue((frame.Vlan ?? 0, frame.Destination), out var nic))
            return;
        JoinedSegments += segments > 1 ? segments : 0;
        Deliver(nic, frame);
    }

    private void Flood(Frame frame, GuestNic? except)
    {
        foreach (var ((vlan, _), nic) in taps)
        {
            if (vlan == (frame.Vlan ?? 0) && nic != except)
                Deliver(nic, frame);
        }
    }
}
