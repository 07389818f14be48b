using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>Who of a fleet's guests sends to whom, so that nobody has to go through all of them at each look.</summary>
/// <param name="hosts">All that are open.</param>
internal sealed class TrafficDirectory(IReadOnlyCollection<EmulatedHost> hosts)
{
    /// <summary>An address that nobody had is looked for again after so long, as a station asks again for a neighbour that did not answer (Linux: <c>retrans_time_ms</c>).</summary>
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(1);

    private readonly Dictionary<MacAddress, List<(EmulatedHost Host, EmulatedDomain Domain)>> senders = [];
    private readonly Dictionary<MacAddress, Entry> found = [];

    /// <summary>The guest has its memory from now on; if it sends to a peer, that is known.</summary>
    public void Add(EmulatedHost host, EmulatedDomain domain)
    {
        if (domain.Behaviour.Traffic?.Peer is not { } peer)
            return;
        if (!senders.TryGetValue(peer, out var list))
            senders[peer] = list = [];
        list.Add((host, domain));
    }

    public void Remove(EmulatedDomain domain)
    {
        if (domain.Behaviour.Traffic?.Peer is not { } peer || !senders.TryGetValue(peer, out var list))
            return;
        list.RemoveAll(s => s.Domain == domain);
        if (list.Count == 0)
            senders.Remove(peer);
    }

    /// <summary>Those that send to the guest by themselves, in the order in which they came.</summary>
    public IEnumerable<(EmulatedHost Host, EmulatedDomain Domain)> SendersTo(EmulatedDomain receiver) =>
        senders.Count == 0 ? [] : receiver.Addresses.SelectMany(mac => senders.GetValueOrDefault(mac) ?? []);

    /// <summary>The guest that is on, anywhere in the fleet, and has the address; null: none has, as far as was asked lately.</summary>
    public (EmulatedHost Host, EmulatedDomain Domain)? Find(MacAddress mac, DateTimeOffset now)
    {
        if (found.TryGetValue(mac, out var known) && (known.Guest is { } guest ? IsThere(guest.Domain, mac) : now < known.AskAgainAt))
            return known.Guest;
        var entry = found[mac] = new Entry(Search(mac), now + AskAgain);
        return entry.Guest;
    }

    private static bool IsThere(EmulatedDomain domain, MacAddress mac) => domain.IsOn && domain.Addresses.Contains(mac);

    private (EmulatedHost Host, EmulatedDomain Domain)? Search(MacAddress mac)
    {
        foreach (var host in hosts)
        {
            foreach (var domain in host.Domains.Values)
            {
                if (IsThere(domain, mac))
                    return (host, domain);
            }
        }
        return null;
    }

    private readonly record struct Entry((EmulatedHost Host, EmulatedDomain Domain)? Guest, DateTimeOffset AskAgainAt);
}
