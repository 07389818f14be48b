using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Interrupts;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>A NIC that is plugged in at both ends: into the guest, and into a switch of the host.</summary>
/// <param name="Unplug">Takes it from the switch and gives its memory back to the guest.</param>
internal sealed record WiredNic(GuestNic Nic, MacAddress Mac, int? Vlan, WireSwitch Wire, Action Unplug);

/// <summary>Makes the NICs of a guest, each of the kind that its interface has, with rings in the guest's memory.</summary>
/// <param name="runs">False while the guest's CPUs stand still.</param>
internal sealed class GuestWiring(EmulatedDomain domain, HostNetwork network, DmaRemapper iommu, InterruptRouter interrupts, ModelClock clock, Func<bool> runs)
{
    /// <summary>Where drivers put their rings; a small guest's lie in its middle.</summary>
    private const long RingsAt = 16 * 1024 * 1024;

    private readonly List<bool> places = [];

    /// <param name="take">What the guest does with a frame of this NIC.</param>
    public WiredNic Connect(DomainInterface wanted, Action<GuestNic, Frame> take)
    {
        var wire = network.WireOf(wanted.Network);
        var way = domain.Behaviour.NicOf(wanted.Name);
        return way is NicWay.Vmdq or NicWay.SelfVirtualized && network.SortingSwitchOn(wire) is { } pools && ConnectToPool(wanted, way, pools, take) is { } sorted
            ? sorted
            : ConnectToBridge(wanted, way, network.BridgeOn(wire), take);
    }

    public WiredNic Connect(EmulatedFunction function, MacAddress mac, Action<GuestNic, Frame> take)
    {
        var embedded = network.SwitchOf(function);
        GuestNic nic = null!;
        var pairs = Math.Min(domain.Behaviour.Queues, embedded.Limits.QueuePairs);
        var slots = Enumerable.Range(0, pairs).Select(_ => NewSlot("function", frame => take(nic, frame), vector => interrupts.Signal(function, vector))).ToArray();
        var counters = slots[0].Slot.Counters;
        counters.Count(NicCount.RefusedQueues, domain.Behaviour.Queues - pairs);
        EmbeddedPort port = null!;
        var made = new FunctionNic(
            [.. slots.Select(s => s.Slot)], new DmaPort(function, iommu, counters, () => domain.IsSwitching), domain.Behaviour.Offloads,
            frame => embedded.SendFrom(port, frame));
        nic = made;
        port = embedded.Attach(function, nic);
        port.Ready = made.Fetch;
        if (domain.Behaviour.IsPromiscuous)
            port.RequestPromiscuous(on: true);
        if (domain.Behaviour.OwnMac is { } own && port.RequestMac(own))
            mac = own;
        return new WiredNic(nic, mac, null, embedded.Wire, () =>
        {
            embedded.Detach(port);
            Free(slots);
        });
    }

    private WiredNic ConnectToBridge(DomainInterface wanted, NicWay way, SoftwareBridge bridge, Action<GuestNic, Frame> take)
    {
        GuestNic nic = null!;
        // Without a pool of the NIC, what would have been sorted is bridged: the front end is the same.
        way = way switch { NicWay.Vmdq => NicWay.Xen, NicWay.SelfVirtualized => NicWay.Virtio, _ => way };
        NicState? arrived = way switch
        {
            NicWay.Virtio => TakeArrived<VirtioState>(wanted.Name),
            NicWay.E1000 => TakeArrived<E1000State>(wanted.Name),
            _ => null,
        };
        var slot = NewSlot(GroupOf(way), frame => take(nic, frame), at: arrived?.RingsAt);
        nic = way switch
        {
            NicWay.E1000 => new E1000Nic(slot.Slot, Send, arrived as E1000State),
            NicWay.Xen => new XenNic(slot.Slot, Send),
            _ => new VirtioNic(slot.Slot, new VirtioFeatures(Offload: domain.Behaviour.Offloads), Send, arrived as VirtioState),
        };
        bridge.Attach(wanted.Vlan, wanted.Mac, nic);
        return new WiredNic(nic, wanted.Mac, wanted.Vlan, bridge.Wire, () =>
        {
            bridge.Detach(wanted.Vlan, wanted.Mac);
            Free(slot);
        });

        void Send(Frame frame) => bridge.SendFrom(wanted.Vlan, nic, frame);
    }

    /// <summary>Null: the NIC has no pool left.</summary>
    private WiredNic? ConnectToPool(DomainInterface wanted, NicWay way, EmbeddedSwitch pools, Action<GuestNic, Frame> take)
    {
        GuestNic nic = null!;
        EmbeddedPort? port = null;
        var slot = NewSlot(GroupOf(way), frame => take(nic, frame));
        var ownProcessors = way == NicWay.SelfVirtualized ? new SelfVirtualizedNic(slot.Slot, frame => pools.SendFrom(port!, frame)) : null;
        nic = ownProcessors ?? (GuestNic)new VmdqNic(slot.Slot, frame => pools.SendFrom(port!, frame));
        port = pools.AttachPool(wanted.Mac, wanted.Vlan, nic);
        if (port is null)
        {
            Free(slot);
            return null;
        }
        port.Ready = ownProcessors is null ? null : ownProcessors.Look;
        return new WiredNic(nic, wanted.Mac, wanted.Vlan, pools.Wire, () =>
        {
            pools.Detach(port);
            Free(slot);
        });
    }

    private static string GroupOf(NicWay way) => way switch
    {
        NicWay.E1000 => "e1000",
        NicWay.Xen => "xen-net",
        NicWay.Vmdq => "vmdq",
        NicWay.SelfVirtualized => "self-virtualized",
        _ => "virtqueue",
    };

    /// <summary>Where a NIC stood on the host that the guest comes from, with its rings where they are; null: it begins anew here.</summary>
    private TState? TakeArrived<TState>(string name)
        where TState : NicState
    {
        if (domain.ArrivedNics is not { } nics || !nics.Remove(name, out var left) || left is not TState arrived)
            return null;
        var place = PlaceOf(arrived.RingsAt);
        return place < places.Count && places[place] ? null : arrived;
    }

    private long FirstRings => Math.Min(RingsAt, domain.Memory!.Bytes / 2);

    private int PlaceOf(long rings) => (int)((rings - FirstRings) / DriverMemory.Bytes);

    /// <param name="at">Where its rings lie already; null: anywhere.</param>
    private (NicSlot Slot, int Place) NewSlot(string group, Action<Frame> take, Action<int>? signalled = null, long? at = null)
    {
        var place = at is { } there ? PlaceOf(there) : places.IndexOf(false);
        if (place < 0)
            place = places.Count;
        while (places.Count <= place)
            places.Add(false);
        places[place] = true;
        var memory = domain.Memory!;
        var first = FirstRings;
        var room = Math.Max(1, (memory.Bytes - first) / DriverMemory.Bytes);
        var rings = new DriverMemory(first + (place % room * DriverMemory.Bytes));
        var slot = new NicSlot(memory, rings, domain.Nics.Of(group), domain.Exits, clock, runs, () => !domain.IsSwitching, take)
        {
            Signalled = signalled, ProcessorOf = () => domain.Machine?.Interrupts,
        };
        return (slot, place);
    }

    private void Free(params ReadOnlySpan<(NicSlot Slot, int Place)> slots)
    {
        foreach (var (slot, place) in slots)
        {
            slot.Empty();
            places[place] = false;
        }
    }
}
