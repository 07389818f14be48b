using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Time;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>
/// The switch inside a NIC (a virtual Ethernet bridge, IEEE 802.1Qbg): it gives a frame to the function or pool whose filters it passes, keeps
/// a function from sending under another address or tag than its own, and from sending more than its rate.
/// </summary>
/// <param name="settingsOf">What the physical function enforces for a virtual one.</param>
/// <param name="virtualFunctions">How many the NIC has now: each has one of its pools.</param>
internal sealed class EmbeddedSwitch(
    WireSwitch wire, ModelClock clock, DeviceLimits limits, Func<EmulatedFunction, DeviceSettings> settingsOf, Func<int> virtualFunctions)
    : SwitchPort, ICounting
{
    private readonly List<EmbeddedPort> ports = [];
    private TransmitArbiter? arbiter;
    private long refusedBefore;

    public WireSwitch Wire => wire;

    public DeviceLimits Limits => limits;

    /// <summary>Frames that a virtual function sent under an address that is not its own.</summary>
    public long SpoofedFrames { get; private set; }

    /// <summary>Frames that a virtual function sent with a tag although its VLAN is chosen for it.</summary>
    public long TaggedFrames { get; private set; }

    /// <summary>Frames for which nobody has a filter.</summary>
    public long UnfilteredFrames { get; private set; }

    /// <summary>Frames that went from one function to another inside the NIC, and never over the wire.</summary>
    public long LocalFrames { get; private set; }

    public long WireFrames { get; private set; }

    /// <summary>Times that a function had to wait for its rate, or for the link.</summary>
    public long Waits { get; private set; }

    /// <summary>Large frames that the NIC cut, and what they became.</summary>
    public long CutFrames { get; private set; }

    public long Segments { get; private set; }

    /// <summary>Pools asked for when the NIC had no more.</summary>
    public long RefusedPools { get; private set; }

    /// <summary>Least rates asked of a NIC that promises none.</summary>
    public long IgnoredGuarantees { get; private set; }

    public EmbeddedPort Attach(EmulatedFunction function, GuestNic nic)
    {
        var port = new EmbeddedPort(nic, () => settingsOf(function), function, limits);
        var settings = port.Settings;
        if (settings.MinTxRateMbps > 0 && !limits.GuaranteesRates)
            IgnoredGuarantees++;
        ports.Add(port);
        return port;
    }

    /// <summary>Sorts the frames of an address into a queue of its own; null: no pool is free, for virtual functions have pools as well.</summary>
    public EmbeddedPort? AttachPool(MacAddress mac, int? vlan, GuestNic nic)
    {
        // The last pool is the physical function's own.
        if (ports.Count(p => p.Function is null) + virtualFunctions() + 1 >= limits.Pools)
        {
            RefusedPools++;
            return null;
        }
        var settings = DeviceSettings.None with { Mac = mac, Vlan = vlan };
        var port = new EmbeddedPort(nic, () => settings, null, limits);
        ports.Add(port);
        return port;
    }

    public void Detach(EmbeddedPort port)
    {
        refusedBefore += port.RefusedRequests;
        ports.Remove(port);
    }

    public override void Receive(Frame frame)
    {
        if (!DeliverLocally(frame, except: null))
            UnfilteredFrames++;
    }

    /// <summary>A function sends: checked, tagged, and handed to a neighbour or to the wire. False: not now, and the port will be told when.</summary>
    public bool SendFrom(EmbeddedPort port, Frame frame)
    {
        var settings = port.Settings;
        if (settings.SpoofCheck && port.MacUnder(settings) is { } own && frame.Source != own)
        {
            SpoofedFrames++;
            return true;
        }
        if (settings.Vlan is not null && frame.Vlan is not null)
        {
            TaggedFrames++;
            return true;
        }
        if (!MayGo(port, settings, frame.Bytes))
            return false;
        var tagged = frame with { Vlan = settings.Vlan ?? frame.Vlan };
        if (frame.SegmentBytes == 0)
        {
            Forward(port, tagged);
            return true;
        }
        CutFrames++;
        TcpSegmenter.Cut(tagged, segment =>
        {
            Segments++;
            Forward(port, segment);
        });
        return true;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("embedded-switch", "local-frames", LocalFrames);
        sheet.Add("embedded-switch", "wire-frames", WireFrames);
        sheet.Add("embedded-switch", "spoofed-frames", SpoofedFrames);
        sheet.Add("embedded-switch", "tagged-frames", TaggedFrames);
        sheet.Add("embedded-switch", "unfiltered-frames", UnfilteredFrames);
        sheet.Add("embedded-switch", "waits", Waits);
        sheet.Add("embedded-switch", "cut-frames", CutFrames);
        sheet.Add("embedded-switch", "segments", Segments);
        sheet.Add("embedded-switch", "refused-requests", refusedBefore + ports.Sum(p => p.RefusedRequests));
        sheet.Add("embedded-switch", "refused-pools", RefusedPools);
        sheet.Add("embedded-switch", "ignored-guarantees", IgnoredGuarantees);
    }

    private void Forward(EmbeddedPort from, Frame frame)
    {
        var local = DeliverLocally(frame, from);
        if (local)
            LocalFrames++;
        if (local && !frame.Destination.IsMulticast)
            return;
        WireFrames++;
        wire.Send(this, frame);
    }

    private bool DeliverLocally(Frame frame, EmbeddedPort? except)
    {
        var delivered = false;
        // By number: a guest that hears a frame may lose or gain a NIC by it.
        for (var n = 0; n < ports.Count; n++)
        {
            var port = ports[n];
            if (port == except || !port.Accepts(frame, port.Settings))
                continue;
            port.Nic.Receive(frame);
            delivered = true;
        }
        return delivered;
    }

    /// <summary>The transmit scheduler of the NIC; it is off while no function has a rate.</summary>
    private bool MayGo(EmbeddedPort port, DeviceSettings settings, int bytes)
    {
        var rates = new TransmitRates(limits.GuaranteesRates ? settings.MinTxRateMbps : 0, settings.MaxTxRateMbps);
        if (!rates.IsSet && arbiter is null)
            return true;
        arbiter ??= new TransmitArbiter(limits.LinkMbps, clock.Now);
        if (port.Share is null || port.Share.Rates != rates)
            port.Share = new TransmitArbiter.Share(rates, clock.Now);
        if (arbiter.Admit(port.Share, bytes, clock.Now) is not { } at)
            return true;
        if (port.IsWaiting)
            return false;
        Waits++;
        port.IsWaiting = true;
        clock.Quietly(at, () =>
        {
            port.IsWaiting = false;
            if (ports.Contains(port))
                port.Ready?.Invoke();
        });
        return false;
    }
}
