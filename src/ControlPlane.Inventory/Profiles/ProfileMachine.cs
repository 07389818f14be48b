using System.Globalization;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Lspci;

namespace ControlPlane.Inventory.Profiles;

/// <summary>
/// Builds the functions of a hand-written machine: gives buses their numbers in the order of the document, writes each configuration
/// space, and makes the virtual functions that are switched on. The result is what a dump of that machine would show.
/// </summary>
internal sealed class ProfileMachine
{
    private const int ClassPciBridge = 0x060400;

    private readonly List<LspciFunction> functions = [];
    private readonly HashSet<PciAddress> taken = [];
    private readonly List<string> problems = [];
    private ulong nextMemory = 0x20_0000_0000;

    /// <summary>In the order of the document.</summary>
    public IReadOnlyList<LspciFunction> Functions => functions;

    public IReadOnlyList<string> Problems => problems;

    public HashSet<PciAddress> Assignable { get; } = [];

    public HashSet<PciAddress> HostCritical { get; } = [];

    public Dictionary<PciAddress, string> PhysicalNetworks { get; } = [];

    public Dictionary<PciAddress, string> MigrationFirmware { get; } = [];

    public void AddRoot(RootDocument root)
    {
        if (root.Bus is null || !PciAddress.TryParse($"{root.Bus}:00.0", out var bus))
        {
            problems.Add($"root bus '{root.Bus}' is no domain and bus such as 0000:17");
            return;
        }
        var nextBus = bus.Bus + 1;
        AddAll(root.Functions, bus.Domain, bus.Bus, root.Node, ref nextBus, onRootBus: true);
    }

    private void AddAll(List<FunctionDocument>? documents, int domain, int bus, int? node, ref int nextBus, bool onRootBus)
    {
        // Function 0 says with a bit of its header that others follow.
        var devices = (documents ?? []).GroupBy(d => d.At?.Split('.')[0]).Where(d => d.Count() > 1).Select(d => d.Key).ToHashSet();
        foreach (var document in documents ?? [])
            Add(document, domain, bus, node, ref nextBus, onRootBus, devices.Contains(document.At?.Split('.')[0]));
    }

    private void Add(FunctionDocument document, int domain, int bus, int? node, ref int nextBus, bool onRootBus, bool multifunction)
    {
        if (bus > 0xff || !PciAddress.TryParse($"{domain:x4}:{bus:x2}:{document.At}", out var address) || !taken.Add(address))
        {
            problems.Add($"'{document.At}' on bus {domain:x4}:{bus:x2} is no free place such as 1f.2");
            return;
        }
        if (Ids(document.Id) is not var (vendor, device))
        {
            problems.Add($"{address}: id '{document.Id}' is no vendor and device such as 8086:10c9");
            return;
        }
        Mark(document, address);
        var port = PortOf(document, address);
        var buses = port is null ? null : new BridgeBuses(bus, nextBus++, 0);
        // A bridge comes before what is below it, and learns its last bus from there.
        var place = functions.Count;
        functions.Add(new LspciFunction(address, 0));
        if (buses is not null)
            AddAll(document.Below, domain, buses.Secondary, node, ref nextBus, onRootBus: false);
        else if (document.Below is not null)
            problems.Add($"{address}: has functions below it but is no port");
        var sriov = MakeSriov(document, address, ref nextBus);
        if (buses is not null)
            buses = buses with { Subordinate = Math.Min(Math.Max(nextBus - 1, buses.Secondary), 0xff) };
        var space = BuildSpace(document, vendor, device, address, port, buses, sriov, onRootBus, multifunction);
        functions[place] = new LspciFunction(address, 0)
        {
            Bytes = space,
            Name = document.Name is null ? null : $"{Reading.PciNames.Vendor(vendor) ?? $"Vendor {vendor:x4}"} {document.Name}",
            VendorId = vendor,
            DeviceId = device,
            Driver = document.Driver ?? (port is ExpressPortType.RootPort or ExpressPortType.UpstreamPort or ExpressPortType.DownstreamPort ? "pcieport" : null),
            NumaNode = node,
        };
        if (sriov is { VfEnabled: true })
            AddVirtualFunctions(document, address, sriov, ConfigurationSpace.Decode(space), node);
    }

    private void Mark(FunctionDocument document, PciAddress address)
    {
        if (document.Assignable)
            Assignable.Add(address);
        if (document.HostCritical)
            HostCritical.Add(address);
        if (document.PhysicalNetwork is { } network)
            PhysicalNetworks[address] = network;
        if (document.MigrationFirmware is { } firmware)
            MigrationFirmware[address] = firmware;
    }

    private SriovRegisters? MakeSriov(FunctionDocument document, PciAddress address, ref int nextBus)
    {
        if (document.Sriov is not { } sriov)
            return null;
        var lastId = address.RoutingId + sriov.Offset + ((sriov.Total - 1) * sriov.Stride);
        if (sriov.Total < 1 || sriov.Count < 0 || sriov.Count > sriov.Total || sriov.Offset < 1 || sriov.Stride < 1 || lastId > 0xffff || Id(sriov.Device) is not { } device)
        {
            problems.Add($"{address}: sriov needs total, count (at most total), device, offset and stride that stay on the segment");
            return null;
        }
        nextBus = Math.Max(nextBus, (lastId >> 8) + 1);
        var bars = new uint[6];
        (bars[0], bars[3]) = ((uint)Memory() & 0xffff_fff0 | 4, (uint)Memory() & 0xffff_fff0 | 4);
        return new SriovRegisters(
            0, sriov.Count > 0, sriov.Count > 0, true, sriov.Total, sriov.Total, sriov.Count, address.Function, sriov.Offset, sriov.Stride, device, 0x553, 1, bars);
    }

    private byte[] BuildSpace(
        FunctionDocument document, ushort vendor, ushort device, PciAddress address, ExpressPortType? port, BridgeBuses? buses, SriovRegisters? sriov, bool onRootBus,
        bool multifunction)
    {
        var builder = new ConfigurationSpaceBuilder(
            vendor, device, port is null ? ClassOf(document, address) : ClassPciBridge, (byte)document.Revision,
            port is null ? HeaderType.Endpoint : HeaderType.Bridge, multifunction).Command(0x0006);
        if (Ids(document.Subsystem ?? document.Id) is var (subsystemVendor, subsystemDevice))
            builder.Subsystem(subsystemVendor, subsystemDevice);
        if (buses is not null)
            builder.Buses(buses);
        else
            builder.MemoryBar(0, Memory(), prefetchable: true);
        var express = port ?? ExpressOf(document, address, onRootBus);
        if (express is not null || document.PowerReset)
            builder.PowerManagement(noSoftReset: !document.PowerReset);
        if (document.Msi > 0)
            builder.Msi(document.Msi);
        if (document.Msix > 0)
            builder.Msix(document.Msix, bar: 0);
        if (express is { } type)
            AddExpress(builder, document, type, buses, sriov);
        return builder.Build();
    }

    private static void AddExpress(ConfigurationSpaceBuilder builder, FunctionDocument document, ExpressPortType type, BridgeBuses? buses, SriovRegisters? sriov)
    {
        var isDownward = type is ExpressPortType.RootPort or ExpressPortType.DownstreamPort;
        var link = document.Link is { } said ? new PciLink(said.SpeedGTs, said.Width, said.SpeedGTs, said.Width) : null;
        builder.Express(new ExpressCapability(
            0, 2, type, isDownward, document.Flr, link, isDownward && link is not null, isDownward && document.HotPlug,
            isDownward ? buses!.Secondary : 0, isDownward && document.Ari, isDownward && document.Ari));
        builder.AdvancedErrorReporting();
        // A port isolates what is below it; an endpoint says with an empty capability that its functions do not reach each other.
        if (document.Acs)
            builder.Acs(isDownward ? AcsFlags.Isolation | AcsFlags.TranslationBlocking : AcsFlags.None, isDownward ? AcsFlags.Isolation : AcsFlags.None);
        if (document.Ari && !isDownward)
            builder.Ari(0);
        if (sriov is not null)
            builder.Sriov(sriov);
    }

    private void AddVirtualFunctions(FunctionDocument document, PciAddress physical, SriovRegisters sriov, ConfigurationSpace space, int? node)
    {
        foreach (var address in Reading.VirtualFunctions.AddressesOf(physical, sriov))
        {
            if (!taken.Add(address))
                problems.Add($"{physical}: its virtual function {address} stands where another function is");
            if (document.Sriov!.MigrationFirmware is { } firmware)
                MigrationFirmware[address] = firmware;
            functions.Add(new LspciFunction(address, 0)
            {
                Bytes = VirtualFunctionSpace.Build(space, document.Sriov.Msix),
                Driver = document.Sriov.Driver,
                NumaNode = node,
            });
        }
    }

    private ExpressPortType? PortOf(FunctionDocument document, PciAddress address)
    {
        switch (document.Port)
        {
            case null:
                return null;
            case "root":
                return ExpressPortType.RootPort;
            case "upstream":
                return ExpressPortType.UpstreamPort;
            case "downstream":
                return ExpressPortType.DownstreamPort;
            case "pcie-to-pci":
                return ExpressPortType.PcieToPciBridge;
            default:
                problems.Add($"{address}: port '{document.Port}' is none of root, upstream, downstream, pcie-to-pci");
                return null;
        }
    }

    private ExpressPortType? ExpressOf(FunctionDocument document, PciAddress address, bool onRootBus)
    {
        switch (document.Express)
        {
            case null:
                return onRootBus ? null : ExpressPortType.Endpoint;
            case "none":
                return null;
            case "endpoint":
                return ExpressPortType.Endpoint;
            case "integrated":
                return ExpressPortType.RootComplexEndpoint;
            default:
                problems.Add($"{address}: express '{document.Express}' is none of endpoint, integrated, none");
                return null;
        }
    }

    private int ClassOf(FunctionDocument document, PciAddress address)
    {
        if (document.Class is { Length: 6 } && int.TryParse(document.Class, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
            return code;
        problems.Add($"{address}: class '{document.Class}' has not six hexadecimal digits such as 020000");
        return 0;
    }

    private ulong Memory() => nextMemory += 0x10_0000;

    private static (ushort Vendor, ushort Device)? Ids(string? text) => text is null ? null : LspciHeader.Ids(text);

    private static ushort? Id(string? text) => text is { Length: 4 } && LspciHeader.Hex(text) is { } id ? (ushort)id : null;
}
