using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory;

/// <summary>What the standard tools printed on a host, each as it came. At least <paramref name="Lspci"/> or <paramref name="NodeDevices"/> is needed.</summary>
/// <param name="Lspci"><c>lspci -Dvvvnnk -xxxx</c>, or with hex only, or with fewer bytes.</param>
/// <param name="IommuGroups"><c>find /sys/kernel/iommu_groups -type l</c>.</param>
/// <param name="Lscpu"><c>lscpu</c>.</param>
/// <param name="NodeDevices"><c>virsh nodedev-dumpxml</c>: one or several documents per text.</param>
/// <param name="Capabilities"><c>virsh capabilities</c>.</param>
/// <param name="Sysfs">One line per function: <c>0000:04:10.0 numa=0 driver=igbvf reset=flr pm physfn=0000:04:00.0 parent=0000:00:04.0</c>.</param>
public sealed record InventoryTexts(
    string? Lspci, string? IommuGroups = null, string? Lscpu = null, IReadOnlyList<string>? NodeDevices = null, string? Capabilities = null,
    string? Sysfs = null);

/// <summary>Something in the texts that was not understood, is missing, or contradicts itself; the inventory stands without it.</summary>
/// <param name="Source">The field of <see cref="InventoryTexts"/> in the API's spelling: <c>lspci</c>, <c>iommuGroups</c>, <c>nodeDevices[2]</c>…</param>
/// <param name="Line">Counted from 1; null when it is about the whole text.</param>
/// <param name="Function">The function it is about; the message names it too.</param>
public sealed record InventoryWarning(string Source, int? Line, PciAddress? Function, string Message)
{
    public override string ToString() =>
        $"{Source}{(Line is { } line ? $":{line}" : "")}: {Message}";
}

/// <summary>A function whose group as the host shows it is another set of functions than the kernel's rules give.</summary>
/// <param name="Shown">The members of its group on the host; empty: it has none there.</param>
/// <param name="Computed">The members by the rules; empty: it has none by them.</param>
public sealed record GroupingDifference(PciAddress Function, IReadOnlyList<PciAddress> Shown, IReadOnlyList<PciAddress> Computed);

/// <summary>How the groups that the host shows compare with those that follow from the kernel's rules. What the host shows is what counts.</summary>
/// <param name="Computed">Group by function, numbered in the order in which the kernel would make them.</param>
/// <param name="Differences">Empty when both agree, or when the host shows none.</param>
/// <param name="Limits">What the rules could not see in this description (capabilities cut off, ACPI tables), for people.</param>
public sealed record GroupingReport(
    bool HostShowsGroups, IReadOnlyDictionary<PciAddress, int> Computed, IReadOnlyList<GroupingDifference> Differences, IReadOnlyList<string> Limits);

/// <summary>A host as its description gives it.</summary>
/// <param name="ConfigurationSpaces">
/// For every function of the inventory, its bytes. Where the description has none, or only a virtual function's ids were missing, see
/// <paramref name="Synthesized"/>.
/// </param>
/// <param name="Synthesized">Functions whose bytes were made from what else is known of them.</param>
/// <param name="NetworkInterfaces">Names of network interfaces by their function, where the description says so.</param>
public sealed record HostDescription(
    HostInventory Inventory, IReadOnlyDictionary<PciAddress, ReadOnlyMemory<byte>> ConfigurationSpaces, IReadOnlySet<PciAddress> Synthesized,
    IReadOnlyDictionary<PciAddress, HostNetworkInterface> NetworkInterfaces, GroupingReport Grouping, IReadOnlyList<InventoryWarning> Warnings);

/// <param name="Mac">As printed; null when not said.</param>
public sealed record HostNetworkInterface(string Name, string? Mac);
