using System.Text;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.Tests;

/// <summary>A machine made for one test, printed as lspci would with hex only.</summary>
internal sealed class Machine
{
    private const AcsFlags Isolating = AcsFlags.Isolation;

    private readonly SortedDictionary<PciAddress, byte[]> functions = [];

    public Machine Add(string address, ConfigurationSpaceBuilder builder) => Add(address, builder.Build());

    public Machine Add(string address, byte[] bytes)
    {
        functions.Add(PciAddress.Parse(address), bytes);
        return this;
    }

    /// <summary>A PCI Express port; it leads to the buses given.</summary>
    public Machine Port(
        string address, ExpressPortType type, int secondary, int subordinate, bool acs = true, bool multifunction = false, bool hotPlug = false,
        ushort vendor = 0x1b36, ushort device = 0x000c)
    {
        var downward = type is ExpressPortType.RootPort or ExpressPortType.DownstreamPort;
        var builder = new ConfigurationSpaceBuilder(vendor, device, 0x060400, header: HeaderType.Bridge, multifunction: multifunction)
            .Buses(new BridgeBuses(PciAddress.Parse(address).Bus, secondary, subordinate))
            .Express(new ExpressCapability(0, 2, type, downward, false, null, false, hotPlug, 0, true, true));
        return Add(address, acs && downward ? builder.Acs(Isolating, Isolating) : builder);
    }

    /// <summary>A conventional PCI-to-PCI bridge.</summary>
    public Machine ConventionalBridge(string address, int secondary, int subordinate, ushort vendor = 0x8086, ushort device = 0x2448) =>
        Add(address, new ConfigurationSpaceBuilder(vendor, device, 0x060401, header: HeaderType.Bridge)
            .Buses(new BridgeBuses(PciAddress.Parse(address).Bus, secondary, subordinate)));

    public Machine Endpoint(
        string address, ushort vendor = 0x1af4, ushort device = 0x1041, bool multifunction = false, AcsFlags? acs = null,
        ExpressPortType type = ExpressPortType.Endpoint, int classCode = 0x020000)
    {
        var builder = new ConfigurationSpaceBuilder(vendor, device, classCode, multifunction: multifunction)
            .Express(new ExpressCapability(0, 2, type, false, false, null, false, false, 0, false, false));
        return Add(address, acs is { } flags ? builder.Acs(flags, flags) : builder);
    }

    public Machine Conventional(string address, ushort vendor = 0x10ec, ushort device = 0x8139, bool multifunction = false, int classCode = 0x020000) =>
        Add(address, new ConfigurationSpaceBuilder(vendor, device, classCode, multifunction: multifunction));

    public HostDescription Read(string? lscpu = null) => Capture.Read(new InventoryTexts(ToString(), Lscpu: lscpu));

    /// <summary>The groups by the rules, each a sorted line; functions without one are left out.</summary>
    public IEnumerable<string> Groups(string? lscpu = null) => Read(lscpu).Grouping.Computed.Partition();

    public override string ToString() => Print(functions);

    public static string Print(IEnumerable<KeyValuePair<PciAddress, byte[]>> functions)
    {
        var text = new StringBuilder();
        foreach (var (address, bytes) in functions)
        {
            text.Append($"{address}\n");
            for (var row = 0; row < bytes.Length; row += 16)
                text.Append($"{row:x2}: {string.Join(' ', bytes.Skip(row).Take(16).Select(b => b.ToString("x2")))}\n");
            text.Append('\n');
        }
        return text.ToString();
    }
}
