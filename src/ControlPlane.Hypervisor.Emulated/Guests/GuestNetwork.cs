using System.Buffers.Binary;
using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>
/// A watched guest's NICs and its failover logic. A guest that nobody watches sends and gets no frames, so thousands of them cost nothing.
/// </summary>
/// <param name="probed">Told each probe that reached the guest: the interface's name and the probe's number.</param>
internal sealed class GuestNetwork(
    EmulatedDomain domain, HostNetwork network, PciTree tree, DmaRemapper iommu, ModelClock clock, Action<string, long> probed)
{
    /// <summary>Where drivers put their receive rings; a small guest's lie in its middle.</summary>
    private const long RingsAt = 16 * 1024 * 1024;

    private readonly Dictionary<string, Pair> pairs = [];
    private int rings;
    private bool closed;

    private DateTimeOffset Now => clock.Now;

    private bool Runs => domain is { State: DomainState.Running, IsSwitching: false };

    /// <summary>Compares what the guest has with what it had, and lets it take the best way of each pair.</summary>
    public void Refresh()
    {
        if (closed)
            return;
        var definition = domain.Definition;
        var names = definition.Interfaces.Select(i => i.Name)
            .Concat(definition.Devices.Where(d => d.Settings.Mac is not null).Select(d => d.Name)).Distinct().ToArray();
        foreach (var name in names.Where(n => !pairs.ContainsKey(n)))
            pairs[name] = new Pair(name);
        foreach (var pair in pairs.Values.ToArray())
        {
            RefreshVirtio(pair, domain.Interface(pair.Name));
            RefreshFunction(pair, domain.Device(pair.Name));
            Choose(pair);
        }
    }

    /// <summary>The guest's CPUs run again: it takes what its rings hold.</summary>
    public void Reap()
    {
        foreach (var pair in pairs.Values)
        {
            if (pair.Active is not { } nic)
                continue;
            if (!pair.Announced)
                Announce(pair, nic);
            Reap(pair, nic);
        }
    }

    public void Close()
    {
        closed = true;
        foreach (var pair in pairs.Values)
        {
            RefreshVirtio(pair, null);
            RefreshFunction(pair, null);
        }
        pairs.Clear();
    }

    private void RefreshVirtio(Pair pair, DomainInterface? wanted)
    {
        if (wanted is { LinkUp: false } || Now < domain.BootedAt)
            wanted = null;
        if (pair.Virtio is not null && (wanted is null || wanted.Mac != pair.VirtioMac || wanted.Vlan != pair.VirtioVlan))
        {
            pair.Bridge!.Detach(pair.VirtioVlan, pair.VirtioMac);
            pair.Lose(pair.Virtio);
            pair.Virtio = null;
        }
        if (Now < domain.BootedAt)
            clock.Quietly(domain.BootedAt, Refresh);
        if (wanted is null || pair.Virtio is not null)
            return;
        var bridge = network.BridgeOn(network.WireOf(wanted.Network));
        // vhost copies with the host's CPU: the IOMMU has no say, and the dirty log sees it as any other write.
        GuestNic? nic = null;
        nic = new GuestNic(NewRing(), WriteByHost, frame => bridge.SendFrom(wanted.Vlan, nic!, frame), arrived => Arrived(pair, arrived));
        bridge.Attach(wanted.Vlan, wanted.Mac, nic);
        (pair.Bridge, pair.Virtio, pair.VirtioMac, pair.VirtioVlan) = (bridge, nic, wanted.Mac, wanted.Vlan);
    }

    private void RefreshFunction(Pair pair, DomainDevice? wanted)
    {
        if (pair.Function is not null && (wanted is null || domain.DriverReadyAt(wanted.Name) > Now))
        {
            pair.Embedded!.Detach(pair.Pci!);
            pair.Lose(pair.Function);
            pair.Function = null;
        }
        if (wanted is null || pair.Function is not null || wanted.Settings.Mac is not { } mac || tree.Find(wanted.Claim.Address) is not { } function)
            return;
        if (domain.DriverReadyAt(wanted.Name) is var readyAt && readyAt > Now)
        {
            clock.Quietly(readyAt, Refresh);
            return;
        }
        var embedded = network.SwitchOf(function);
        var nic = new GuestNic(
            NewRing(), (address, data) => !domain.IsSwitching && function.CanMaster && iommu.Write(function.Address, function.IommuGroup, address, data),
            frame => embedded.SendFrom(function, frame), arrived => Arrived(pair, arrived));
        embedded.Attach(function, nic);
        (pair.Embedded, pair.Function, pair.Pci, pair.FunctionMac) = (embedded, nic, function, mac);
    }

    /// <summary>The function when its driver is ready, else the virtio NIC: at once for the first time, later after the pair's change of path.</summary>
    private void Choose(Pair pair)
    {
        var best = pair.Function ?? pair.Virtio;
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
            if (best == (pair.Function ?? pair.Virtio))
                Activate(pair, best);
        });
    }

    /// <summary>Traffic takes this way from now on; the guest says so, and the switches learn it.</summary>
    private void Activate(Pair pair, GuestNic nic)
    {
        pair.Active = nic;
        pair.WasActive = true;
        pair.Announced = false;
        if (Runs)
            Announce(pair, nic);
    }

    private static void Announce(Pair pair, GuestNic nic)
    {
        pair.Announced = true;
        var mac = nic == pair.Function ? pair.FunctionMac : pair.VirtioMac;
        nic.Send(new Frame(mac, Frame.Broadcast, null, Frame.AnnounceType, default));
    }

    private void Arrived(Pair pair, GuestNic nic)
    {
        if (Runs)
            Reap(pair, nic);
    }

    /// <summary>A guest takes no unicast frame from the standby while the function is up (Linux: <c>net_failover_handle_frame</c>).</summary>
    private void Reap(Pair pair, GuestNic nic) => nic.Ring.Reap(frame =>
    {
        if (frame.EtherType == Frame.ProbeType && nic == pair.Active)
            probed(pair.Name, BinaryPrimitives.ReadInt64BigEndian(frame.Payload.Span));
    });

    private bool WriteByHost(long address, ReadOnlySpan<byte> data)
    {
        if (domain.IsSwitching || domain.Memory is not { } memory)
            return false;
        memory.Write(address, data);
        return true;
    }

    private ReceiveRing NewRing()
    {
        var memory = domain.Memory!;
        const long ringBytes = ReceiveRing.Buffers * ReceiveRing.BufferBytes;
        var places = Math.Max(1, Math.Min(256, (memory.Bytes - Math.Min(RingsAt, memory.Bytes / 2)) / ringBytes));
        return new ReceiveRing(memory, Math.Min(RingsAt, memory.Bytes / 2) + (rings++ % places * ringBytes));
    }

    /// <summary>One interface of the guest: a virtio NIC, a function, or both as a failover pair.</summary>
    private sealed class Pair(string name)
    {
        public string Name => name;

        public GuestNic? Virtio { get; set; }

        public MacAddress VirtioMac { get; set; }

        public int? VirtioVlan { get; set; }

        public SoftwareBridge? Bridge { get; set; }

        public GuestNic? Function { get; set; }

        public MacAddress FunctionMac { get; set; }

        public EmbeddedSwitch? Embedded { get; set; }

        public EmulatedFunction? Pci { get; set; }

        public GuestNic? Active { get; set; }

        public GuestNic? ChangingTo { get; set; }

        public bool WasActive { get; set; }

        /// <summary>False while the guest could not tell the switches yet, since its CPUs stand still.</summary>
        public bool Announced { get; set; }

        public void Lose(GuestNic nic)
        {
            if (Active == nic)
                Active = null;
            if (ChangingTo == nic)
                ChangingTo = null;
        }
    }
}
