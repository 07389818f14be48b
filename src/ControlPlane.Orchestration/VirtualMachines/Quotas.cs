using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Records;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>What a VM counts against its project's quota, running or not.</summary>
public static class Quotas
{
    public static QuotaAmount Of(VmSpec spec) => new(
        1, spec.Vcpus, spec.MemoryMiB, spec.Devices.GroupBy(d => d.Pool).ToDictionary(g => g.Key, g => g.Sum(d => d.Count)));

    /// <summary>What two specs of one VM differ by, whichever is the larger: devices only, as the rest cannot change.</summary>
    public static QuotaAmount Difference(VmSpec one, VmSpec other)
    {
        var (left, right) = (Of(one).DevicesByPool, Of(other).DevicesByPool);
        return new QuotaAmount(0, 0, 0, left.Keys.Union(right.Keys)
            .Select(pool => (Pool: pool, Count: Math.Abs(left.GetValueOrDefault(pool) - right.GetValueOrDefault(pool))))
            .Where(p => p.Count > 0).ToDictionary(p => p.Pool, p => p.Count));
    }
}
