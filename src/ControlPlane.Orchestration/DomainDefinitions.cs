using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;

namespace ControlPlane.Orchestration;

/// <summary>Says to a host what a VM is: the one place where a VM's record becomes a domain.</summary>
public sealed class DomainDefinitions(FleetDirectory fleet)
{
    /// <param name="epoch">The VM's generation at which the operation under way was accepted.</param>
    /// <param name="devices">The devices to define it with; a migration's target is defined without those that are replugged.</param>
    public DomainDefinition Define(VirtualMachine vm, Generation epoch, IEnumerable<DeviceAttachment> devices) =>
        new(new DomainRef(vm.Id, epoch), vm.Name, vm.Spec.Vcpus, vm.Spec.MemoryMiB, vm.Spec.Hugepages, vm.Spec.Image, vm.Spec.Disks,
            [.. vm.Interfaces.Select(Virtio).OfType<DomainInterface>()], [.. devices.Select(d => Device(vm, d))], vm.Spec.Labels);

    /// <summary>The virtio device of an interface; null for one that is a virtual function only.</summary>
    public DomainInterface? Virtio(VmInterface networkInterface)
    {
        if (networkInterface.VirtioAddress is not { } address)
            return null;
        var network = fleet.FindNetwork(networkInterface.Network);
        return new DomainInterface(
            networkInterface.Name, networkInterface.Mac, network?.PhysicalNetwork ?? network?.Name ?? "", network?.Vlan, network?.Mtu,
            networkInterface.Attach == AttachKind.Failover, networkInterface.LinkUp, address);
    }

    public DomainDevice Device(VirtualMachine vm, DeviceAttachment attachment) =>
        new(attachment.Name, new DeviceClaim(attachment.Address, attachment.Generation), attachment.GuestAddress, Settings(vm, attachment));

    /// <summary>What the physical function enforces while the VM holds the device: the interface's MAC and VLAN, or nothing.</summary>
    public DeviceSettings Settings(VirtualMachine vm, DeviceAttachment attachment)
    {
        var served = vm.Interfaces.FirstOrDefault(i => i.Name == attachment.Request);
        if (served is null)
            return DeviceSettings.None;
        var network = fleet.FindNetwork(served.Network);
        return DeviceSettings.None with
        {
            Mac = served.Mac,
            Vlan = network?.Vlan,
            Network = network?.PhysicalNetwork ?? network?.Name,
        };
    }
}
