using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Libvirt.DomainXml;

namespace ControlPlane.Libvirt.Tests.DomainXml;

/// <summary>Definitions to write, and the plan that a host with KVM would make of them.</summary>
internal static class Definitions
{
    public static readonly MacAddress Mac = MacAddress.Parse("52:54:00:aa:00:60");

    public static DomainDefinition Plain(string name = "web-1") => new(
        new DomainRef(new VmId(new Guid("0197c5a0-0000-7000-8000-000000000001")), new Generation(3)), name, 2, 512, HugepageSize.None, "debian-12",
        [], [], [], new Dictionary<string, string>());

    public static DomainInterface Nic(string name, int bus, bool standby = false) =>
        new(name, Mac, "prod", null, null, standby, LinkUp: true, new PciAddress(0, bus, 0, 0));

    public static DomainDevice Function(string name, int bus, MacAddress? mac) => new(
        name, new DeviceClaim(PciAddress.Parse("0000:04:10.4"), new Generation(7)), new PciAddress(0, bus, 0, 0),
        DeviceSettings.None with { Mac = mac, Vlan = mac is null ? null : 101 });

    /// <summary>A failover pair: interface net0 as virtio standby and as virtual function.</summary>
    public static DomainDefinition Failover() =>
        Plain() with { Interfaces = [Nic("net0", 1, standby: true)], Devices = [Function("net0", 2, Mac)] };

    public static DomainPlan Plan(DomainDefinition definition, bool teaming = true) => new(
        definition, new DomainMark(definition.Ref, definition.Name, "digest", Teaming: teaming), HostTraits.Kvm,
        definition.Interfaces.ToDictionary(i => i.Name, i => new NetworkChoice(i.Network, i.Vlan)),
        [new DiskVolume("default", "root.qcow2"), .. definition.Disks.Select(d => new DiskVolume("default", d.Name))]);
}
