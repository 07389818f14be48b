using System.Globalization;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Inventory.Linux;

/// <summary>
/// The links under <c>/sys/kernel/iommu_groups</c>, one path per line: <c>…/iommu_groups/13/devices/0000:04:00.0</c>. What stands before
/// the number is not looked at, so a copy of the tree reads as well.
/// </summary>
internal sealed record IommuGroupLinks(IReadOnlyDictionary<PciAddress, int> GroupByFunction, IReadOnlyList<InventoryWarning> Warnings)
{
    internal const string Source = "iommuGroups";

    public static Outcome<IommuGroupLinks> Parse(string text)
    {
        if (TextLimits.Check(Source, text) is { } tooLong)
            return tooLong;
        var warnings = new WarningList(Source);
        var groups = new Dictionary<PciAddress, int>();
        var lines = new TextLines(text);
        while (lines.MoveNext() && groups.Count < TextLimits.MostFunctions)
        {
            // ls -l and find -ls print where a link points, which is no link itself.
            var arrow = lines.Current.IndexOf(" -> ", StringComparison.Ordinal);
            var line = (arrow < 0 ? lines.Current : lines.Current[..arrow]).Trim();
            var anyLink = false;
            foreach (var range in line.Split(' '))
                anyLink |= Add(line[range].Trim(), lines.Number, groups, warnings);
            if (!anyLink && !line.IsEmpty && !IsFolder(line))
                warnings.Add(lines.Number, $"{WarningList.Quote(line)} is no link of an IOMMU group; the line is left out");
        }
        return new IommuGroupLinks(groups, warnings.ToList());
    }

    /// <summary>True for a link, whether it was of use or not.</summary>
    private static bool Add(ReadOnlySpan<char> path, int line, Dictionary<PciAddress, int> groups, WarningList warnings)
    {
        if (!TryParse(path, out var group, out var member))
            return false;
        if (PciAddress.TryParse(member.ToString(), out var address))
        {
            if (!groups.TryAdd(address, group) && groups[address] != group)
                warnings.Add(line, $"is in group {group} here and in group {groups[address]} before; the first counts", address);
        }
        // Platform devices have groups too ('1e60000.usb', 'ARMH0011:00'); they are nothing that a guest can get here.
        else if (member.Length > 4 && member[4] == ':' && int.TryParse(member[..4], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out _))
            warnings.Add(line, $"{WarningList.Quote(member)} is no PCI address; the line is left out");
        return true;
    }

    private static bool TryParse(ReadOnlySpan<char> path, out int group, out ReadOnlySpan<char> member)
    {
        group = 0;
        member = default;
        const string marker = "/devices/";
        var at = path.LastIndexOf(marker, StringComparison.Ordinal);
        if (at < 0)
            return false;
        member = path[(at + marker.Length)..];
        var before = path[..at];
        var number = before[(before.LastIndexOf('/') + 1)..];
        return !member.IsEmpty && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out group);
    }

    /// <summary>What find prints without <c>-type l</c>: the folders, and the files beside <c>devices</c>.</summary>
    private static bool IsFolder(ReadOnlySpan<char> line) => line.StartsWith("/sys/kernel/iommu_groups", StringComparison.Ordinal)
        && (line.EndsWith("/devices", StringComparison.Ordinal) || line.EndsWith("/type", StringComparison.Ordinal)
            || line.EndsWith("/reserved_regions", StringComparison.Ordinal) || char.IsAsciiDigit(line[^1]) || line.EndsWith("iommu_groups", StringComparison.Ordinal))
        && !line.Contains("/devices/", StringComparison.Ordinal);
}
