using ControlPlane.Scheduling.Matching;
using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Weighers;

/// <summary>How good a host is that all filters keep, from array reads alone: 0 to 1, more is better.</summary>
internal interface IHostWeigher
{
    double Weight { get; }

    double Weigh(FleetState fleet, int host, CompiledRequest request);
}

/// <summary>How good a fit is that matching has found: 0 to 1, more is better.</summary>
internal interface IFitWeigher
{
    double Weight { get; }

    double Weigh(HostFit fit);
}
