using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Inventory.Profiles;

/// <summary>A machine to emulate: a description of its hardware, and what an operator would have set on its devices.</summary>
/// <param name="Name">A DNS label.</param>
/// <param name="Assignable">Functions given to guests from the start, beside the virtual ones, which always are.</param>
/// <param name="HostCritical">Functions without which the host cannot run: boot disk, management NIC.</param>
/// <param name="PhysicalNetworks">The wire into which a physical network function is plugged, by its address; its virtual functions share it.</param>
public sealed record HostProfile(
    string Name, string Description, HostDescription Hardware, IReadOnlySet<PciAddress> Assignable, IReadOnlySet<PciAddress> HostCritical,
    IReadOnlyDictionary<PciAddress, string> PhysicalNetworks)
{
    /// <summary>What is known of the kinds of its devices, found by their vendor and device ids.</summary>
    public DeviceModelCatalog Models { get; init; } = DeviceModelCatalog.Shipped;
}
