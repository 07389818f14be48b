using System.Collections.Concurrent;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.Projects;

namespace ControlPlane.Orchestration;

/// <summary>
/// The few nouns that every request names (hosts, networks, pools, projects), by id and by name, in memory. Filled at start, and
/// changed by whoever commits a change of one, after the commit.
/// </summary>
/// <remarks>A reader may be a moment behind another server's change; what must not race is decided by the database.</remarks>
public sealed class FleetDirectory
{
    private readonly NamedSet<HostId, Host> hosts = new(h => h.Id, h => h.Name, h => h.Generation);
    private readonly NamedSet<NetworkId, Network> networks = new(n => n.Id, n => n.Name, n => n.Generation);
    private readonly NamedSet<PoolId, DevicePool> pools = new(p => p.Id, p => p.Name, p => p.Generation);
    private readonly NamedSet<ProjectId, Project> projects = new(p => p.Id, p => p.Name, p => p.Generation);

    public IEnumerable<Host> Hosts => hosts.All;

    public IReadOnlyDictionary<NetworkId, Network> NetworksById => networks.ById;

    public IEnumerable<DevicePool> Pools => pools.All;

    public Host? FindHost(string idOrName) => hosts.Find(idOrName, HostId.From);

    public Host? FindHost(HostId id) => hosts.Find(id);

    public Network? FindNetwork(string idOrName) => networks.Find(idOrName, NetworkId.From);

    public Network? FindNetwork(NetworkId id) => networks.Find(id);

    public DevicePool? FindPool(string idOrName) => pools.Find(idOrName, PoolId.From);

    public DevicePool? FindPool(PoolId id) => pools.Find(id);

    public Project? FindProject(string idOrName) => projects.Find(idOrName, ProjectId.From);

    public Project? FindProject(ProjectId id) => projects.Find(id);

    public void Set(Host host) => hosts.Set(host);

    public void Set(Network network) => networks.Set(network);

    public void Set(DevicePool pool) => pools.Set(pool);

    public void Set(Project project) => projects.Set(project);

    public void Remove(HostId id) => hosts.Remove(id);

    public void Remove(NetworkId id) => networks.Remove(id);

    public void Remove(PoolId id) => pools.Remove(id);

    public void Remove(ProjectId id) => projects.Remove(id);

    /// <summary>
    /// What is known now. Said before the truth is read, it tells what of it is gone when the reading does not show it: what came meanwhile
    /// stays.
    /// </summary>
    internal DirectoryReading BeginReading() => new(hosts.BeginReading(), networks.BeginReading(), pools.BeginReading(), projects.BeginReading());
}

/// <summary>Readings of the truth, by noun: each replaces what was known when it began.</summary>
internal sealed record DirectoryReading(
    Action<IEnumerable<Host>> Hosts, Action<IEnumerable<Network>> Networks, Action<IEnumerable<DevicePool>> Pools, Action<IEnumerable<Project>> Projects);

/// <summary>
/// Records by id and by name. An older generation never replaces a newer one, and what was removed never comes back (ids are not given
/// twice), so late news does no harm.
/// </summary>
internal sealed class NamedSet<TId, T>(Func<T, TId> id, Func<T, string> name, Func<T, Generation> generation)
    where TId : notnull
    where T : class
{
    private readonly ConcurrentDictionary<TId, T> byId = new();
    /// <summary>So many removals are remembered: more than happen while a reading is under way.</summary>
    private const int RemovedMax = 4096;

    private readonly ConcurrentDictionary<string, TId> byName = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<TId> removals = new();
    private readonly ConcurrentDictionary<TId, bool> removed = new();

    public IEnumerable<T> All => byId.Values;

    public IReadOnlyDictionary<TId, T> ById => byId;

    public T? Find(TId key) => byId.GetValueOrDefault(key);

    public T? Find(string idOrName, Func<Guid, TId> from) =>
        byName.TryGetValue(idOrName, out var key) ? Find(key)
        : Guid.TryParse(idOrName, out var guid) ? Find(from(guid))
        : null;

    public void Set(T value)
    {
        if (removed.ContainsKey(id(value)))
            return;
        var kept = byId.AddOrUpdate(id(value), value, (_, old) => generation(old) > generation(value) ? old : value);
        byName[name(kept)] = id(kept);
    }

    public Action<IEnumerable<T>> BeginReading()
    {
        var known = byId.Keys.ToList();
        return read =>
        {
            var there = new HashSet<TId>();
            foreach (var value in read)
            {
                there.Add(id(value));
                Set(value);
            }
            foreach (var gone in known.Where(k => !there.Contains(k)))
                Remove(gone);
        };
    }

    public void Remove(TId key)
    {
        if (removed.TryAdd(key, true))
            removals.Enqueue(key);
        if (removals.Count > RemovedMax && removals.TryDequeue(out var longAgo))
            removed.TryRemove(longAgo, out _);
        if (byId.TryRemove(key, out var gone))
            byName.TryRemove(new KeyValuePair<string, TId>(name(gone), key));
    }
}
