using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Scheduling.Placements;

/// <summary>Why a place is looked for; decides which filters hold.</summary>
public enum PlacementPurpose
{
    Create,

    /// <summary>The guest keeps running: the target must offer every CPU feature that it has seen.</summary>
    Migrate,

    /// <summary>Only devices, on the host where the VM already is; capacity, affinity and a host on its way out do not matter.</summary>
    HotPlug,
}

/// <summary>All that placement wants to know of a VM. Quota is not part of it: the project's limits do not depend on the host.</summary>
public sealed record PlacementRequest
{
    public required VmId Vm { get; init; }

    public required ProjectId Project { get; init; }

    public PlacementPurpose Purpose { get; init; } = PlacementPurpose.Create;

    public HostShare Share { get; init; }

    public NumaPolicy NumaPolicy { get; init; } = NumaPolicy.None;

    public DeviceSpread DeviceSpread { get; init; } = DeviceSpread.None;

    public IReadOnlyList<DeviceDemand> Devices { get; init; } = [];

    public IReadOnlyList<NetworkDemand> Networks { get; init; } = [];

    /// <summary>Only these; null: any.</summary>
    public IReadOnlyCollection<HostId>? OnlyHosts { get; init; }

    /// <summary>None of these: the source of a migration, hosts that have just refused.</summary>
    public IReadOnlyCollection<HostId> ExcludeHosts { get; init; } = [];

    public IReadOnlyDictionary<string, string> HostSelector { get; init; } = new Dictionary<string, string>();

    public string? Group { get; init; }

    public GroupPolicy GroupPolicy { get; init; } = GroupPolicy.Spread;

    /// <summary>The source host's CPU: the target's vendor must be the same and its features a superset. Null: any CPU.</summary>
    public CpuModel? SourceCpu { get; init; }

    /// <summary>
    /// The request of a new VM. An unknown network is a fault of the caller's body; an unknown pool is one too, but only the snapshot
    /// knows the pools, so that one shows up in the explanation.
    /// </summary>
    public static Outcome<PlacementRequest> ForCreate(
        VmId vm, ProjectId project, VmSpec spec, IReadOnlyDictionary<NetworkId, Network> networks)
    {
        var wires = new List<NetworkDemand>(spec.Interfaces.Count);
        var devices = new List<DeviceDemand>();
        foreach (var nic in spec.Interfaces)
        {
            if (!networks.TryGetValue(nic.Network, out var network))
                return Fault.NotFound("network", nic.Network.ToString());
            wires.Add(new NetworkDemand(nic.Name, network.PhysicalNetwork));
            if (nic.WantsVirtualFunction)
                devices.Add(DemandOf(nic, network));
        }
        foreach (var request in spec.Devices)
            devices.AddRange(DemandsOf(request));
        return new PlacementRequest
        {
            Vm = vm,
            Project = project,
            Share = spec.ShareOfHost(),
            NumaPolicy = spec.NumaPolicy,
            DeviceSpread = spec.DeviceSpread,
            Devices = devices,
            Networks = wires,
            OnlyHosts = spec.Placement.Host is { } only ? [only] : null,
            HostSelector = spec.Placement.HostSelector,
            Group = spec.Placement.Group,
            GroupPolicy = spec.Placement.GroupPolicy,
        };
    }

    /// <summary>
    /// The request for a migration's target: not the source, a CPU that has every feature of the source's, and for every device one of
    /// the same model from the same pool or network. The host that the spec names was about the VM's creation and does not hold it back.
    /// </summary>
    /// <param name="sourceDevices">The functions that serve the VM now, by attachment name; a missing one may be of any model.</param>
    /// <param name="target">Only this host; null: any.</param>
    public static Outcome<PlacementRequest> ForMigration(
        VirtualMachine vm, IReadOnlyDictionary<NetworkId, Network> networks, IReadOnlyDictionary<string, PciFunction> sourceDevices,
        CpuModel sourceCpu, HostId? target) =>
        ForCreate(vm.Id, vm.Project, vm.Spec, networks).Map(request => request with
        {
            Purpose = PlacementPurpose.Migrate,
            Devices = [.. request.Devices.Select(d => sourceDevices.TryGetValue(d.Name, out var f) ? d with { AlikeTo = AlikeDevice.Of(f) } : d)],
            OnlyHosts = target is { } only ? [only] : null,
            ExcludeHosts = vm.Host is { } source ? [source] : [],
            SourceCpu = sourceCpu,
        });

    /// <summary>
    /// The request for more devices of a VM where it is; nothing but the devices is asked of the host. A VM whose functions are to be safe
    /// to bond gets one that is safe to bond with those it has.
    /// </summary>
    public static PlacementRequest ForHotPlug(VmId vm, ProjectId project, HostId host, VmSpec spec, IReadOnlyList<DeviceDemand> devices) => new()
    {
        Vm = vm,
        Project = project,
        Purpose = PlacementPurpose.HotPlug,
        NumaPolicy = spec.NumaPolicy == NumaPolicy.Required ? NumaPolicy.Preferred : spec.NumaPolicy,
        DeviceSpread = spec.DeviceSpread,
        Devices = devices,
        OnlyHosts = [host],
    };

    /// <summary>A <c>vf</c> or <c>failover</c> interface's function.</summary>
    public static DeviceDemand DemandOf(InterfaceSpec nic, Network network) => new(nic.Name, null, network.PhysicalNetwork);

    /// <summary>A device request's functions, named as the attachments will be: <c>acc0</c>, <c>acc0-1</c>…</summary>
    public static IEnumerable<DeviceDemand> DemandsOf(DeviceRequestSpec request) =>
        Enumerable.Range(0, request.Count).Select(i => new DeviceDemand(i == 0 ? request.Name : $"{request.Name}-{i}", request.Pool));
}
