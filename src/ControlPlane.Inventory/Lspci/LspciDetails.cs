using System.Globalization;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.Lspci;

/// <summary>Reads the indented lines of one function: what the kernel says of it, and the capabilities in words.</summary>
internal sealed class LspciDetails
{
    private readonly LspciCapabilityText capabilities = new();
    private string? driver;
    private int? numaNode;
    private int? iommuGroup;
    private bool accessDenied;
    private (ushort Vendor, ushort Device)? subsystem;
    private BridgeBuses? buses;

    public void Add(ReadOnlySpan<char> line)
    {
        line = line.Trim();
        if (line.StartsWith("Capabilities:", StringComparison.Ordinal))
        {
            accessDenied |= line.Contains("access denied", StringComparison.Ordinal);
            capabilities.Begin(line["Capabilities:".Length..].Trim());
        }
        else if (After(line, "Subsystem:", out var rest))
            subsystem ??= LspciHeader.Ids(rest) ?? (rest.Length >= 11 && rest[^1] == ']' ? LspciHeader.Ids(rest[^10..^1]) : null);
        else if (After(line, "Kernel driver in use:", out rest))
            driver = rest.IsEmpty ? null : rest.ToString();
        else if (After(line, "NUMA node:", out rest))
            numaNode = Number(rest);
        else if (After(line, "IOMMU group:", out rest))
            iommuGroup = Number(rest);
        else if (After(line, "Flags:", out rest) && !capabilities.Inside)
            AddFlags(rest);
        else if (After(line, "Bus:", out rest))
            buses ??= ParseBuses(rest);
        else
            capabilities.Add(line);
    }

    public LspciFunction Apply(LspciFunction function) => capabilities.Apply(function with
    {
        Driver = driver,
        NumaNode = numaNode is >= 0 ? numaNode : null,
        IommuGroup = iommuGroup is >= 0 ? iommuGroup : null,
        AccessDenied = accessDenied,
        SubsystemVendorId = subsystem?.Vendor,
        SubsystemDeviceId = subsystem?.Device,
        Buses = buses,
    });

    /// <summary>One <c>-v</c> puts it all into one line: <c>bus master, fast devsel, latency 0, IRQ 30, NUMA node 0, IOMMU group 12</c>.</summary>
    private void AddFlags(ReadOnlySpan<char> flags)
    {
        foreach (var range in flags.Split(','))
        {
            var flag = flags[range].Trim();
            if (After(flag, "NUMA node", out var node))
                numaNode = Number(node);
            else if (After(flag, "IOMMU group", out var group))
                iommuGroup = Number(group);
        }
    }

    /// <summary><c>primary=00, secondary=01, subordinate=01, sec-latency=0</c>.</summary>
    private static BridgeBuses? ParseBuses(ReadOnlySpan<char> text)
    {
        int? primary = null, secondary = null, subordinate = null;
        foreach (var range in text.Split(','))
        {
            var part = text[range].Trim();
            if (After(part, "primary=", out var value))
                primary = LspciHeader.Hex(value);
            else if (After(part, "secondary=", out value))
                secondary = LspciHeader.Hex(value);
            else if (After(part, "subordinate=", out value))
                subordinate = LspciHeader.Hex(value);
        }
        return primary is <= 0xff && secondary is <= 0xff && subordinate is <= 0xff
            ? new BridgeBuses(primary.Value, secondary.Value, subordinate.Value)
            : null;
    }

    internal static bool After(ReadOnlySpan<char> line, string start, out ReadOnlySpan<char> rest)
    {
        var found = line.StartsWith(start, StringComparison.Ordinal);
        rest = found ? line[start.Length..].Trim() : default;
        return found;
    }

    internal static int? Number(ReadOnlySpan<char> text) =>
        int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;
}
