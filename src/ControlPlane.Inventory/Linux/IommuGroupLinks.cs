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
        while (lines.MoveNext())
        {
            var line = lines.Current.Trim();
            if (line.IsEmpty || line is "/sys/kernel/iommu_groups")
                continue;
            if (!TryParse(line, out var group, out var member))
                warnings.Add(lines.Number, $"{WarningList.Quote(line)} is no link of an IOMMU group; the line is left out");
            else if (!PciAddress.TryParse(member.ToString(), out var address))
            {
                // Platform devices have groups too (an SMMU's, an I2C controller's); they are nothing that a guest can get here.
                if (member.Contains('.') && member.Contains(':'))
                    warnings.Add(lines.Number, $"{WarningList.Quote(member)} is no PCI address; the line is left out");
            }
            else if (groups.Count == TextLimits.MostFunctions)
                break;
            else if (!groups.TryAdd(address, group) && groups[address] != group)
                warnings.Add(lines.Number, $"is in group {group} here and in group {groups[address]} before; the first counts", address);
        }
        return new IommuGroupLinks(groups, warnings.ToList());
    }

    private static bool TryParse(ReadOnlySpan<char> line, out int group, out ReadOnlySpan<char> member)
    {
        group = 0;
        member = default;
        // find -ls and ls -l print where a link points: the link itself comes first.
        var arrow = line.IndexOf(" -> ", StringComparison.Ordinal);
        if (arrow >= 0)
            line = line[..arrow];
        const string marker = "/devices/";
        var at = line.LastIndexOf(marker, StringComparison.Ordinal);
        if (at < 0)
            return false;
        member = line[(at + marker.Length)..];
        var before = line[..at];
        var number = before[(before.LastIndexOf('/') + 1)..];
        return !member.IsEmpty && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out group);
    }
}
