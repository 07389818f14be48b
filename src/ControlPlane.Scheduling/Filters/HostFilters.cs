using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Filters;

/// <summary>Hosts that take new VMs. A hot-plug only needs its host to answer.</summary>
internal sealed class HostStateFilter : IHostFilter
{
    public const string FilterName = "host-state";

    public string Name => FilterName;

    public bool Keeps(FleetState fleet, int host, CompiledRequest request) =>
        request.Request.Purpose == PlacementPurpose.HotPlug
            ? fleet.Blocks[host]!.Host.State is HostState.Up or HostState.Draining or HostState.Maintenance
            : fleet.Accepts[host];

    public Shortfall Describe(FleetState fleet, int host, CompiledRequest request)
    {
        var record = fleet.Blocks[host]!.Host;
        var state = record.State.ToString().ToLowerInvariant();
        var reason = record.StateReason is { } why ? $": {why}" : "";
        return record.State == HostState.Up
            ? new Shortfall("a host that is up and not cordoned", "cordoned", "An operator keeps new VMs away from the host.")
            : new Shortfall("a host that is up", state, $"The host is {state}{reason}.");
    }
}

/// <summary>The hosts that the request names, without those that it excludes.</summary>
internal sealed class NamedHostFilter : IHostFilter
{
    public const string FilterName = "named-host";

    public string Name => FilterName;

    public bool Keeps(FleetState fleet, int host, CompiledRequest request) =>
        (request.Only is not { } only || only.Contains(host)) && (request.Excluded.Count == 0 || !request.Excluded.Contains(host));

    public Shortfall Describe(FleetState fleet, int host, CompiledRequest request)
    {
        var name = fleet.Blocks[host]!.Host.Name;
        if (!request.Excluded.Contains(host))
            return new Shortfall(NamesOf(fleet, request), name, "The request names another host.");
        return request.Request.Purpose == PlacementPurpose.Migrate
            ? new Shortfall("another host", name, "The VM is on this host already.")
            : new Shortfall("another host", name, "The request excludes this host.");
    }

    private static string NamesOf(FleetState fleet, CompiledRequest request) =>
        request.Only is { Count: > 0 } only ? $"host {string.Join(" or ", only.Take(3).Select(h => fleet.Blocks[h]!.Host.Name))}" : "a host that exists";
}

/// <summary>Hosts that carry every label of the selector.</summary>
internal sealed class HostSelectorFilter : IHostFilter
{
    public const string FilterName = "host-selector";

    public string Name => FilterName;

    public bool Keeps(FleetState fleet, int host, CompiledRequest request)
    {
        if (request.Selector.Length == 0)
            return true;
        var labels = fleet.Blocks[host]!.Host.Labels;
        foreach (var (key, value) in request.Selector)
        {
            if (!labels.TryGetValue(key, out var present) || present != value)
                return false;
        }
        return true;
    }

    public Shortfall Describe(FleetState fleet, int host, CompiledRequest request)
    {
        var labels = fleet.Blocks[host]!.Host.Labels;
        var missing = Missing(fleet, host, request).ToArray();
        var present = missing.Select(key => labels.TryGetValue(key, out var value) ? $"{key}={value}" : $"no label {key}");
        return new Shortfall(
            string.Join(", ", missing.Select(key => $"{key}={request.Request.HostSelector[key]}")), string.Join(", ", present),
            "The host does not carry the labels of the hostSelector.");
    }

    /// <summary>Keys that the host lacks or has another value of.</summary>
    public static IEnumerable<string> Missing(FleetState fleet, int host, CompiledRequest request)
    {
        var labels = fleet.Blocks[host]!.Host.Labels;
        return request.Request.HostSelector.Where(wanted => !labels.TryGetValue(wanted.Key, out var value) || value != wanted.Value)
            .Select(wanted => wanted.Key).Order(StringComparer.Ordinal);
    }
}

/// <summary>A migration's target shows the guest every CPU feature that it has seen, from the same vendor.</summary>
internal sealed class CpuModelFilter : IHostFilter
{
    public const string FilterName = "cpu-model";

    public string Name => FilterName;

    public bool Keeps(FleetState fleet, int host, CompiledRequest request) => request.FitsCpu(fleet.Cpu[host]);

    public Shortfall Describe(FleetState fleet, int host, CompiledRequest request)
    {
        var source = request.Request.SourceCpu!;
        var target = fleet.CpuModels[fleet.Cpu[host]];
        var missing = CompiledRequest.MissingFeatures(source, target);
        var some = string.Join(", ", missing.Take(5)) + (missing.Count > 5 ? $" and {missing.Count - 5} more" : "");
        return new Shortfall(
            $"every feature of {source.Vendor} {source.Name}", $"{target.Vendor} {target.Name}", $"The running guest has seen what this CPU lacks: {some}.");
    }
}

/// <summary>Two members of a hard-spread group never share a host. Other policies only weigh.</summary>
internal sealed class AffinityFilter : IHostFilter
{
    public const string FilterName = "affinity";

    public string Name => FilterName;

    public bool Keeps(FleetState fleet, int host, CompiledRequest request) =>
        request.Request.GroupPolicy != GroupPolicy.HardSpread || request.Members.IsEmpty || !request.Members.ContainsKey(host);

    public Shortfall Describe(FleetState fleet, int host, CompiledRequest request) => new(
        $"no member of group {request.Request.Group}", $"{request.Members[host]} on this host", "The group's policy is hard-spread: one VM per host.");
}

/// <summary>
/// Hosts that reach the wires of the VM's interfaces. Pools say which wire a host's functions are plugged into; a host of which nobody
/// has said any wire may reach all of them.
/// </summary>
internal sealed class NetworkReachFilter : IHostFilter
{
    public const string FilterName = "network-reach";

    public string Name => FilterName;

    public bool Keeps(FleetState fleet, int host, CompiledRequest request)
    {
        if (request.Wires.Length == 0)
            return true;
        var reached = fleet.Blocks[host]!.Wires;
        if (reached.Length == 0)
            return true;
        foreach (var wire in request.Wires)
        {
            if (!reached.AsSpan().Contains(wire))
                return false;
        }
        return true;
    }

    public Shortfall Describe(FleetState fleet, int host, CompiledRequest request)
    {
        var reached = fleet.Blocks[host]!.Wires;
        var missing = request.Wires.Where(w => !reached.Contains(w)).Select(fleet.Catalog.WireAt).ToArray();
        return new Shortfall(
            $"physical network {string.Join(" and ", missing)}", string.Join(", ", reached.Select(fleet.Catalog.WireAt)),
            "None of the host's functions is in a pool on that physical network.");
    }
}
