using ControlPlane.Domain;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>The VMs that left a host by a switch-over, and how their copies ended: what a repeated call is answered from.</summary>
internal sealed class Departures
{
    /// <summary>As many are remembered. Their sagas ask within minutes; what thousands of later ones have pushed out is asked for by nobody.</summary>
    private const int MaxDepartures = 8192;

    private readonly Dictionary<VmId, CopyProgress> ended = [];

    public IReadOnlyDictionary<VmId, CopyProgress> All => ended;

    /// <summary>Switch-overs of the fleet's journal whose part of this host is in its own.</summary>
    public HashSet<long> AppliedSwitchOvers { get; } = [];

    /// <summary>Null: the VM has not left, or it came back.</summary>
    public CopyProgress? Of(VmId vm) => ended.GetValueOrDefault(vm);

    public void Note(VmId vm, CopyProgress copy)
    {
        ended[vm] = copy;
        if (ended.Count > MaxDepartures)
            ended.Remove(ended.First().Key);
    }

    public void Forget(VmId vm) => ended.Remove(vm);
}
