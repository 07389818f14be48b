using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Orchestration.PciDevices;

/// <summary>
/// Who has a function that a scan shows for the first time. Virtual functions are made to be given away; anything else the host may be
/// living on, so it stays the host's until an operator, or the host's profile, says otherwise.
/// </summary>
public sealed class DeviceDefaults(ProfileCatalog profiles)
{
    public PciDevice NewDevice(Host host, PciFunction function)
    {
        var profile = host.Backend.Profile is { } name ? profiles.Find(name) : null;
        var critical = profile?.HostCritical.Contains(function.Address) ?? false;
        var assignable = !function.IsBridge && !critical
            && (function.Function == FunctionKind.Virtual || (profile?.Assignable.Contains(function.Address) ?? false));
        return new PciDevice(
            host.Id, function, assignable ? DeviceOwnership.Unowned : DeviceOwnership.HeldByHost, assignable, critical, Present: true);
    }
}
