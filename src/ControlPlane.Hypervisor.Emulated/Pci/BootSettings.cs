using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>What decides which functions a host has after its boot, and who drives them.</summary>
/// <param name="Hidden">Of the kernel's command line.</param>
/// <param name="VirtualFunctions">Counts of the host's configuration, in the order in which they were set; others are as described.</param>
/// <param name="Overridden">Functions that come up with an override: those that had one when the model's process died, while the host ran on.</param>
/// <param name="Absent">Functions of the description that are in another host's hierarchy.</param>
internal sealed record BootSettings(
    HiddenFunctions Hidden, IReadOnlyCollection<KeyValuePair<PciAddress, int>> VirtualFunctions, IReadOnlyCollection<PciAddress> Overridden,
    IReadOnlyCollection<PciAddress> Absent)
{
    public static readonly BootSettings AsDescribed = new(HiddenFunctions.None, [], [], []);
}
