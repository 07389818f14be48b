using ControlPlane.Scheduling.Matching;

namespace ControlPlane.Scheduling.Weighers;

/// <summary>vCPUs, memory and devices on one NUMA node, where the policy prefers that.</summary>
internal sealed class NumaClosenessWeigher : IFitWeigher
{
    public double Weight => 4;

    public double Weigh(HostFit fit) => fit.Closeness;
}

/// <summary>Leaves as much as possible on each physical function that is used, so that later bond-safe sets still find several.</summary>
internal sealed class PhysicalFunctionBalanceWeigher : IFitWeigher
{
    public double Weight => 1;

    public double Weigh(HostFit fit) => fit.Devices.Balance;
}

/// <summary>Functions that are only held because they share a group are lost to everyone.</summary>
internal sealed class CompanionWeigher : IFitWeigher
{
    public double Weight => 2;

    public double Weigh(HostFit fit) => 1.0 / (1 + fit.Devices.Companions);
}
