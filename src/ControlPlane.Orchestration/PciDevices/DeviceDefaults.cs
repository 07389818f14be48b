using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Orchestration.PciDevices;

/// <summary>What a profile says of single functions of the hosts made from it.</summary>
/// <param name="Assignable">Functions that guests may have from the start.</param>
/// <param name="HostCritical">Functions that the host cannot run without.</param>
public sealed record ProfileFlags(IReadOnlySet<PciAddress> Assignable, IReadOnlySet<PciAddress> HostCritical)
{
    public static readonly ProfileFlags None = new(new HashSet<PciAddress>(), new HashSet<PciAddress>());
}

/// <summary>
/// Who has a function that a scan shows for the first time. Virtual functions are made to be given away; anything else the host may be
/// living on, so it stays the host's until an operator, or the host's profile, says otherwise.
/// </summary>
public sealed class DeviceDefaults(Func<string, ProfileFlags?> profileFlags)
{
    public PciDevice NewDevice(Host host, PciFunction function)
    {
        var flags = host.Backend.Profile is { } profile ? profileFlags(profile) ?? ProfileFlags.None : ProfileFlags.None;
        var critical = flags.HostCritical.Contains(function.Address);
        var assignable = !function.IsBridge && !critical
            && (function.Function == FunctionKind.Virtual || flags.Assignable.Contains(function.Address));
        return new PciDevice(
            host.Id, function, assignable ? DeviceOwnership.Unowned : DeviceOwnership.HeldByHost, assignable, critical, Present: true);
    }
}
