using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.VirtualMachines;

/// <summary>VMs on the wire: ids of what they refer to become names.</summary>
internal sealed class VmMapping(FleetDirectory fleet)
{
    public VirtualMachineResponse ToResponse(VirtualMachine vm)
    {
        var project = ProjectName(vm.Project);
        return new VirtualMachineResponse(
            vm.Id.ToString(), vm.Name, project, ToResponse(vm.Name, project, vm.Spec), (Wire.VmState)vm.State, HostName(vm.Host),
            vm.Generation.Value, [.. vm.Interfaces.Select(i => ToResponse(vm, i))], Devices(vm),
            [.. vm.Conditions.Select(c => new ConditionResponse(c.Type, c.Status, c.Reason, c.Since))], vm.Operation?.ToString(), vm.CreatedAt,
            vm.UpdatedAt);
    }

    private VmSpecResponse ToResponse(string name, string project, VmSpec spec) => new(
        name, project, spec.Vcpus, spec.MemoryMiB, (Wire.HugepageSize)spec.Hugepages, spec.Image,
        [.. spec.Disks.Select(d => new DiskRequest(d.Name, d.SizeGiB))],
        [.. spec.Interfaces.Select(i => new InterfaceRequest(i.Name, NetworkName(i.Network), (Wire.AttachKind)i.Attach, i.Mac?.ToString()))],
        [.. spec.Devices.Select(d => new DeviceRequest(d.Name, PoolName(d.Pool), d.Count))],
        (Wire.NumaPolicy)spec.NumaPolicy, (Wire.DeviceSpread)spec.DeviceSpread,
        new PlacementSpecResponse(
            HostName(spec.Placement.Host), spec.Placement.HostSelector, spec.Placement.Group, (Wire.GroupPolicy)spec.Placement.GroupPolicy),
        spec.Labels, spec.Start);

    private InterfaceResponse ToResponse(VirtualMachine vm, VmInterface networkInterface)
    {
        var attachment = vm.Attachments.FirstOrDefault(a => a.Request == networkInterface.Name);
        var device = attachment is null
            ? null
            : new InterfaceDeviceResponse(
                attachment.Address.ToString(), attachment.GuestAddress.ToString(), attachment.Generation.Value, attachment.Plugged);
        // A function's link is what it serves; where only the virtio device serves, its link counts.
        var up = attachment is { Plugged: true } || networkInterface.LinkUp;
        return new InterfaceResponse(
            networkInterface.Name, NetworkName(networkInterface.Network), networkInterface.Mac.ToString(),
            (Wire.AttachKind)networkInterface.Attach, device, networkInterface.VirtioAddress?.ToString(), up ? LinkState.Up : LinkState.Down);
    }

    private AttachedDeviceResponse[] Devices(VirtualMachine vm) =>
    [
        .. from attachment in vm.Attachments
           from request in vm.Spec.Devices
           where request.Name == attachment.Request
           select new AttachedDeviceResponse(
               attachment.Name, attachment.Request, PoolName(request.Pool), attachment.Address.ToString(), attachment.GuestAddress.ToString(),
               attachment.Generation.Value, attachment.Plugged),
    ];

    // What a VM names cannot be deleted, so a name is missing only in the moment before another server's news arrives.
    private string ProjectName(ProjectId id) => fleet.FindProject(id)?.Name ?? id.ToString();

    private string NetworkName(NetworkId id) => fleet.FindNetwork(id)?.Name ?? id.ToString();

    private string PoolName(PoolId id) => fleet.FindPool(id)?.Name ?? id.ToString();

    private string? HostName(HostId? id) => id is { } host ? fleet.FindHost(host)?.Name ?? host.ToString() : null;
}
