using System.Buffers.Binary;
using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>
/// Watches a guest's traffic while it migrates: a station on the network sends a probe frame to each of its interfaces at a fixed distance,
/// and the guest, wherever it is, notes those that reach it.
/// </summary>
/// <remarks>
/// What one probe met the next one meets, as long as nothing has changed at the guest's NICs, CPUs and paths. So the station rests once so many have
/// arrived in a row, and goes on at the next change: thousands of guests that are watched for a while after they have moved cost nothing.
/// </remarks>
internal sealed class ProbeWatch
{
    /// <summary>Locally administered and outside of the block that guests' addresses are drawn from.</summary>
    private static readonly MacAddress StationMac = new(0x0200_0000_00feUL);

    /// <summary>So many probes in a row show that all is well.</summary>
    private const int Enough = 100;

    private readonly ModelClock clock;
    private readonly TimeSpan interval;
    private readonly Func<bool> isMigrating;
    private readonly Action tick;
    private readonly List<Target> targets = [];
    private readonly Dictionary<string, ProbeLog> logs = [];
    private DateTimeOffset until;
    private DateTimeOffset disturbedAt;
    private DateTimeOffset? restsSince;
    private bool sending;
    private EmulatedDomain? watched;

    /// <param name="isMigrating">Asked when probing could end: it goes on while the answer is yes.</param>
    public ProbeWatch(ModelClock clock, TimeSpan interval, Func<bool> isMigrating)
    {
        this.clock = clock;
        this.interval = interval;
        this.isMigrating = isMigrating;
        tick = Tick;
    }

    /// <summary>Probing goes on at least until then.</summary>
    public void KeepUntil(DateTimeOffset instant)
    {
        until = instant > until ? instant : until;
        if (sending)
            return;
        sending = true;
        Tick();
    }

    public bool IsSending => sending;

    /// <summary>The guest is here from now on: its NICs come to life, and what they receive is noted.</summary>
    public void Follow(EmulatedHost host, EmulatedDomain domain)
    {
        if (watched == domain && domain.Network is not null)
            return;
        Leave();
        watched = domain;
        Aim(host, domain);
        var network = host.HoldNetwork(domain, this);
        network.Probed = (name, number) => LogOf(name).Delivered(number, clock.Now);
        network.Disturbed = Wake;
        Wake();
    }

    public IReadOnlyList<InterfaceGap> Measure(DateTimeOffset since) =>
        [.. logs.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => l.Value.Measure(l.Key, since))];

    private void Aim(EmulatedHost host, EmulatedDomain domain)
    {
        foreach (var i in domain.Definition.Interfaces)
            AimAt(i.Name, i.Mac, i.Vlan, host.Network.WireOf(i.Network));
        foreach (var d in domain.Definition.Devices)
        {
            if (d.Settings is { Mac: { } mac } settings && host.Tree.Find(d.Claim.Address) is { } function)
                AimAt(d.Name, mac, settings.Vlan, host.Network.SwitchOf(function).Wire);
        }
    }

    /// <summary>An interface is aimed at once: it keeps its MAC, its VLAN and its wire wherever the guest goes.</summary>
    private void AimAt(string name, MacAddress mac, int? vlan, WireSwitch wire)
    {
        if (targets.Exists(t => t.Name == name))
            return;
        targets.Add(new Target(LogOf(name), name, mac, vlan, wire));
    }

    private void Tick()
    {
        if (clock.Now > until && isMigrating())
            until = clock.Now + TimeSpan.FromSeconds(1);
        if (clock.Now > until)
        {
            sending = false;
            Leave();
            return;
        }
        // A guest that still boots has no traffic that could fall silent.
        var awake = watched is null || clock.Now >= watched.BootedAt;
        if (awake && clock.Now - disturbedAt >= interval * Enough && targets.TrueForAll(t => t.Log.HasArrived(Enough)))
        {
            restsSince = clock.Now;
            PlanEnd();
            return;
        }
        if (awake)
        {
            foreach (var target in targets)
                target.Probe(clock.Now);
        }
        clock.Quietly(clock.Now + interval, tick);
    }

    /// <summary>Something changes at the guest now.</summary>
    private void Wake()
    {
        disturbedAt = clock.Now;
        if (restsSince is not { } since)
            return;
        restsSince = null;
        var last = since + (((clock.Now - since).Ticks / interval.Ticks) * interval);
        foreach (var target in targets)
            target.Log.Rested(last);
        clock.Quietly(last + interval, tick);
    }

    /// <summary>Who rests looks up when probing could end.</summary>
    private void PlanEnd()
    {
        var since = restsSince;
        clock.Quietly(until + interval, () =>
        {
            if (restsSince != since)
                return;
            if (clock.Now <= until)
            {
                PlanEnd();
                return;
            }
            restsSince = null;
            Tick();
        });
    }

    private void Leave()
    {
        if (watched?.Network is { } network)
            (network.Probed, network.Disturbed) = (null, null);
        if (watched is not null)
            GuestNetwork.Release(watched, this);
        watched = null;
    }

    private ProbeLog LogOf(string name)
    {
        if (!logs.TryGetValue(name, out var log))
            logs[name] = log = new ProbeLog(interval);
        return log;
    }

    private sealed class Target(ProbeLog log, string name, MacAddress mac, int? vlan, WireSwitch wire)
    {
        private readonly Station station = new();
        private readonly byte[] payload = new byte[sizeof(long)];

        public string Name => name;

        public ProbeLog Log => log;

        public void Probe(DateTimeOffset now)
        {
            BinaryPrimitives.WriteInt64BigEndian(payload, log.Sent(now));
            wire.Send(station, new Frame(StationMac, mac, vlan, Frame.ProbeType, payload));
        }
    }

    /// <summary>The prober's own port: what guests send to everybody ends here.</summary>
    private sealed class Station : SwitchPort
    {
        public override void Receive(Frame frame)
        {
            // A station that only sends.
        }
    }
}
