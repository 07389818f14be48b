namespace ControlPlane.Domain.Pci;

/// <summary>A PCI function of a host together with what the control plane knows of it: the row of the inventory.</summary>
/// <param name="Host">The host it sits in.</param>
/// <param name="Facts">What the last scan saw.</param>
/// <param name="Ownership">Who holds it.</param>
/// <param name="Assignable">May be given to guests. Virtual functions are from the start; anything else once an operator says so, or a profile.</param>
/// <param name="HostCritical">The host cannot run without it (boot disk, management NIC): its whole IOMMU group is never assigned.</param>
/// <param name="Present">False for a virtual function that is switched off: the row stays, so that its generation never starts again.</param>
public sealed record PciDevice(
    HostId Host, PciFunction Facts, DeviceOwnership Ownership, bool Assignable, bool HostCritical, bool Present)
{
    public PciAddress Address => Facts.Address;
}

/// <summary>A device as its owner names it to a host: the address, and the generation that makes the action valid.</summary>
public readonly record struct DeviceClaim(PciAddress Address, Generation Generation);
