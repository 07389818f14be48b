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
}

/// <summary>Records by id and by name. An older generation never replaces a newer one, so late news does no harm.</summary>
internal sealed class NamedSet<TId, T>(Func<T, TId> id, Func<T, string> name, Func<T, Generation> generation)
    where TId : notnull
    where T : class
{
    private readonly ConcurrentDictionary<TId, T> byId = new();
    private readonly ConcurrentDictionary<string, TId> byName = new(StringComparer.Ordinal);

    public IEnumerable<T> All => byId.Values;

    public IReadOnlyDictionary<TId, T> ById => byId;

    public T? Find(TId key) => byId.GetValueOrDefault(key);

    public T? Find(string idOrName, Func<Guid, TId> from) =>
        byName.TryGetValue(idOrName, out var key) ? Find(key)
        : Guid.TryParse(idOrName, out var guid) ? Find(from(guid))
        : null;

    public void Set(T value)
    {
        var kept = byId.AddOrUpdate(id(value), value, (_, old) => generation(old) > generation(value) ? old : value);
        byName[name(kept)] = id(kept);
    }

    public void Remove(TId key)
    {
        if (byId.TryRemove(key, out var gone))
            byName.TryRemove(new KeyValuePair<string, TId>(name(gone), key));
    }
}
