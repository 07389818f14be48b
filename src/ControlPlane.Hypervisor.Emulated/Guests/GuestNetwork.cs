using System.Buffers.Binary;
using ControlPlane.Hypervisor.Emulated.Interrupts;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>
/// A guest's NICs and its failover logic, while somebody watches the guest's traffic or makes some. A guest of which nobody does sends and gets
/// no frames, so thousands of them cost nothing.
/// </summary>
internal sealed class GuestNetwork
{
    private readonly EmulatedDomain domain;
    private readonly PciTree tree;
    private readonly ModelClock clock;
    private readonly GuestWiring wiring;
    private readonly Dictionary<string, Pair> pairs = [];
    private readonly List<object> holders = [];
    private bool closed;

    public GuestNetwork(EmulatedDomain domain, HostNetwork network, PciTree tree, DmaRemapper iommu, InterruptRouter interrupts, ModelClock clock)
    {
        (this.domain, this.tree, this.clock) = (domain, tree, clock);
        wiring = new GuestWiring(domain, network, iommu, interrupts, clock, () => Runs);
    }

    /// <summary>Told each probe that reached the guest: the interface's name and the probe's number.</summary>
    public Action<string, long>? Probed { get; set; }

    /// <summary>Told when something changes that decides which frames reach the guest; before it has happened, or as it does.</summary>
    public Action? Disturbed { get; set; }

    private DateTimeOffset Now => clock.Now;

    private bool Runs => !closed && domain is { State: DomainState.Running, IsSwitching: false };

    /// <summary>The network is there until everybody who holds it has released it.</summary>
    public void Hold(object holder)
    {
        if (!holders.Contains(holder))
            holders.Add(holder);
    }

    /// <summary>One who held a guest's network needs it no more; the last one closes it.</summary>
    public static void Release(EmulatedDomain domain, object holder)
    {
        if (domain.Network is { } network && network.holders.Remove(holder) && network.holders.Count == 0)
            domain.CloseNetwork();
    }

    /// <summary>Compares what the guest has with what it had, and lets it take the best way of each pair.</summary>
    public void Refresh()
    {
        if (closed)
            return;
        Disturbed?.Invoke();
        var definition = domain.Definition;
        var names = definition.Interfaces.Select(i => i.Name)
            .Concat(definition.Devices.Where(d => d.Settings.Mac is not null).Select(d => d.Name)).Distinct().ToArray();
        foreach (var name in names.Where(n => !pairs.ContainsKey(n)))
            pairs[name] = new Pair(name);
        foreach (var pair in pairs.Values.ToArray())
        {
            RefreshInterface(pair, domain.Interface(pair.Name));
            RefreshFunction(pair, domain.Device(pair.Name));
            Choose(pair);
        }
    }

    /// <summary>The guest's CPUs run again: it takes what its rings hold.</summary>
    public void Resume()
    {
        foreach (var pair in pairs.Values)
        {
            if (pair.Active is { } active && !pair.Announced)
                Announce(pair, active);
            pair.Interface?.Nic.Resume();
            pair.Function?.Nic.Resume();
        }
    }

    /// <summary>Where the NICs that the VMM makes stand, by their names: what travels to another host.</summary>
    public Dictionary<string, NicState> Save()
    {
        Dictionary<string, NicState> saved = [];
        foreach (var pair in pairs.Values)
        {
            if (pair.Interface?.Nic.Save() is { } state)
                saved[pair.Name] = state;
        }
        return saved;
    }

    /// <summary>The NIC through which the guest's traffic goes now, of the first interface by name; null: none carries any.</summary>
    public WiredNic? Carrier
    {
        get
        {
            if (!Runs)
                return null;
            Pair? first = null;
            foreach (var pair in pairs.Values)
            {
                if (pair.Active is not null && (first is null || string.CompareOrdinal(pair.Name, first.Name) < 0))
                    first = pair;
            }
            return first?.Active;
        }
    }

    public void Close()
    {
        Disturbed?.Invoke();
        closed = true;
        foreach (var pair in pairs.Values)
        {
            RefreshInterface(pair, null);
            RefreshFunction(pair, null);
        }
        pairs.Clear();
    }

    private void RefreshInterface(Pair pair, DomainInterface? wanted)
    {
        if (wanted is { LinkUp: false } || Now < domain.BootedAt)
            wanted = null;
        if (pair.Interface is { } present && (wanted is null || wanted.Mac != present.Mac || wanted.Vlan != present.Vlan))
        {
            pair.Lose(present);
            pair.Interface = null;
        }
        if (closed)
            return;
        if (Now < domain.BootedAt)
            clock.Quietly(domain.BootedAt, Refresh);
        if (wanted is not null)
            pair.Interface ??= wiring.Connect(wanted, (nic, frame) => Take(pair, nic, frame));
    }

    private void RefreshFunction(Pair pair, DomainDevice? wanted)
    {
        if (pair.Function is { } present && (wanted is null || domain.DriverReadyAt(wanted.Name) > Now))
        {
            pair.Lose(present);
            pair.Function = null;
        }
        if (wanted is null || pair.Function is not null || wanted.Settings.Mac is not { } mac || tree.Find(wanted.Claim.Address) is not { } function)
            return;
        if (domain.DriverReadyAt(wanted.Name) is var readyAt && readyAt > Now)
        {
            clock.Quietly(readyAt, Refresh);
            return;
        }
        pair.Function = wiring.Connect(function, mac, (nic, frame) => Take(pair, nic, frame));
    }

    /// <summary>The function when its driver is ready, else the interface: at once for the first time, later after the pair's change of path.</summary>
    private void Choose(Pair pair)
    {
        var best = pair.Function ?? pair.Interface;
        if (best == pair.Active || best is null)
            return;
        if (!pair.WasActive)
        {
            Activate(pair, best);
            return;
        }
        if (pair.ChangingTo == best)
            return;
        pair.ChangingTo = best;
        clock.Quietly(Now + domain.Behaviour.PathChange, () =>
        {
            if (closed || pair.ChangingTo != best)
                return;
            pair.ChangingTo = null;
            if (best == (pair.Function ?? pair.Interface))
                Activate(pair, best);
        });
    }

    /// <summary>Traffic takes this way from now on; the guest says so, and the switches learn it.</summary>
    private void Activate(Pair pair, WiredNic wired)
    {
        Disturbed?.Invoke();
        pair.Active = wired;
        pair.WasActive = true;
        pair.Announced = false;
        if (Runs)
            Announce(pair, wired);
    }

    private static void Announce(Pair pair, WiredNic wired)
    {
        pair.Announced = true;
        wired.Nic.Send(new Frame(wired.Mac, Frame.Broadcast, null, Frame.AnnounceType, default));
    }

    /// <summary>A guest takes no unicast frame from the standby while the function is up (Linux: <c>net_failover_handle_frame</c>).</summary>
    private void Take(Pair pair, GuestNic nic, Frame frame)
    {
        if (frame.EtherType == Frame.ProbeType && nic == pair.Active?.Nic)
            Probed?.Invoke(pair.Name, BinaryPrimitives.ReadInt64BigEndian(frame.Payload.Span));
    }

    /// <summary>One interface of the guest: a paravirtual or emulated NIC, a function, or both as a failover pair.</summary>
    private sealed class Pair(string name)
    {
        public string Name => name;

        public WiredNic? Interface { get; set; }

        public WiredNic? Function { get; set; }

        public WiredNic? Active { get; set; }

        public WiredNic? ChangingTo { get; set; }

        public bool WasActive { get; set; }

        /// <summary>False while the guest could not tell the switches yet, since its CPUs stand still.</summary>
        public bool Announced { get; set; }

        public void Lose(WiredNic wired)
        {
            wired.Unplug();
            if (Active == wired)
                Active = null;
            if (ChangingTo == wired)
                ChangingTo = null;
        }
    }
}
