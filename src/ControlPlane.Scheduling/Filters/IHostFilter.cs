using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Filters;

/// <summary>
/// One constraint on a host. <see cref="Keeps"/> runs for every host of the fleet on every placement: array reads only, no allocation.
/// Whether devices and NUMA cells really fit together is settled by <see cref="HostFitter"/> on the few best hosts.
/// </summary>
internal interface IHostFilter
{
    /// <summary>Kebab-case, part of the API's answers.</summary>
    string Name { get; }

    bool Keeps(FleetState fleet, int host, CompiledRequest request);

    /// <summary>Why it does not keep a host: what is needed, what is there, and a sentence.</summary>
    Shortfall Describe(FleetState fleet, int host, CompiledRequest request);
}

/// <summary>What a host lacks, in words.</summary>
internal readonly record struct Shortfall(string Needed, string Available, string Detail);
