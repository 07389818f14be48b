using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.DeviceModels;
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
    private readonly AddressMap addresses = new();
    private readonly FunctionModels models;

    public ProfileMachine(DeviceModelCatalog catalog) => models = new FunctionModels(catalog, problems);

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
        var port = PortOf(document, address);
        if (port is null && document.Below is not null)
            problems.Add($"{address}: has functions below it but is no port");
        if (port is not null && document.Model is not null)
            problems.Add($"{address}: model is for endpoints, and this is a port; leave one of the two out");
        Mark(document, address);
        if (port is { } type)
            AddPort(document, address, type, node, ref nextBus, multifunction);
        else if (models.Of(document, address, onRootBus) is { } model)
            AddEndpoint(document, address, model, node, ref nextBus, multifunction);
    }

    /// <summary>A bridge comes before what is below it, and learns its last bus from there.</summary>
    private void AddPort(FunctionDocument document, PciAddress address, ExpressPortType type, int? node, ref int nextBus, bool multifunction)
    {
        if (Ids(document.Id) is not var (vendor, device))
        {
            problems.Add($"{address}: id '{document.Id}' is no vendor and device such as 8086:10c9");
            return;
        }
        var place = functions.Count;
        var buses = new BridgeBuses(address.Bus, nextBus++, 0);
        functions.Add(new LspciFunction(address, 0));
        AddAll(document.Below, address.Domain, buses.Secondary, node, ref nextBus, onRootBus: false);
        buses = buses with { Subordinate = Math.Min(Math.Max(nextBus - 1, buses.Secondary), 0xff) };
        functions[place] = new LspciFunction(address, 0)
        {
            Bytes = PortSpace(document, vendor, device, type, buses, multifunction),
            Name = NameOf(vendor, document.Name),
            VendorId = vendor,
            DeviceId = device,
            Driver = document.Driver ?? (type is ExpressPortType.PcieToPciBridge ? null : "pcieport"),
            NumaNode = node,
        };
    }

    private void AddEndpoint(FunctionDocument document, PciAddress address, DeviceModel model, int? node, ref int nextBus, bool multifunction)
    {
        var sriov = MakeSriov(document, model, address, ref nextBus);
        // A slot may be slower or narrower than its device.
        var link = document.Link is { } slot && model.Capabilities.Express?.Link is { } widest
            ? new PciLink(Math.Min(slot.SpeedGTs, widest.MaxSpeedGTs), Math.Min(slot.Width, widest.MaxWidth), widest.MaxSpeedGTs, widest.MaxWidth)
            : null;
        var space = ModelSpace.Build(model, addresses, multifunction, link, sriov);
        functions.Add(new LspciFunction(address, 0)
        {
            Bytes = space,
            Name = NameOf(model.VendorId, model.Product),
            VendorId = model.VendorId,
            DeviceId = model.DeviceId,
            Driver = model.Driver,
            NumaNode = node,
        });
        if (sriov is { VfEnabled: true })
            AddVirtualFunctions(document, model, address, sriov, ConfigurationSpace.Decode(space), node);
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

    private SriovRegisters? MakeSriov(FunctionDocument document, DeviceModel model, PciAddress address, ref int nextBus)
    {
        if (model.Sriov is not { } sriov)
            return null;
        var (count, most) = (document.Sriov?.Count ?? 0, Math.Min(sriov.Total, model.Limits.VirtualFunctions));
        var lastId = address.RoutingId + sriov.OffsetOf(address.Function) + ((sriov.Total - 1) * sriov.Stride);
        if (count < 0 || count > most || sriov.Total < 1 || sriov.OffsetOf(address.Function) < 1 || sriov.Stride < 1 || lastId > 0xffff)
        {
            problems.Add($"{address}: sriov needs total, count (at most {most}), device, offset and stride that stay on the segment");
            return null;
        }
        nextBus = Math.Max(nextBus, (lastId >> 8) + 1);
        return ModelSpace.Sriov(sriov, addresses, address.Function, count);
    }

    private static byte[] PortSpace(FunctionDocument document, ushort vendor, ushort device, ExpressPortType type, BridgeBuses buses, bool multifunction)
    {
        var builder = new ConfigurationSpaceBuilder(vendor, device, ClassPciBridge, (byte)(document.Revision ?? 0), HeaderType.Bridge, multifunction).Command(0x0006);
        if (Ids(document.Subsystem ?? document.Id) is var (subsystemVendor, subsystemDevice))
            builder.Subsystem(subsystemVendor, subsystemDevice);
        builder.Buses(buses).PowerManagement(noSoftReset: !document.PowerReset);
        if (document.Msi > 0)
            builder.Msi(document.Msi);
        if (document.Msix > 0)
            builder.Msix(document.Msix, bar: 0);
        var isDownward = type is ExpressPortType.RootPort or ExpressPortType.DownstreamPort;
        var link = document.Link is { } said ? new PciLink(said.SpeedGTs, said.Width, said.SpeedGTs, said.Width) : null;
        builder.Express(new ExpressCapability(
            0, 2, type, isDownward, document.Flr, link, isDownward && link is not null, isDownward && document.HotPlug,
            isDownward ? buses.Secondary : 0, isDownward && document.Ari, isDownward && document.Ari));
        builder.AdvancedErrorReporting();
        // A port isolates what is below it.
        if (document.Acs)
            builder.Acs(isDownward ? AcsFlags.Isolation | AcsFlags.TranslationBlocking : AcsFlags.None, isDownward ? AcsFlags.Isolation : AcsFlags.None);
        if (document.Ari && !isDownward)
            builder.Ari(0);
        return builder.Build();
    }

    private void AddVirtualFunctions(FunctionDocument document, DeviceModel model, PciAddress physical, SriovRegisters registers, ConfigurationSpace space, int? node)
    {
        var sriov = model.Sriov!;
        foreach (var address in Reading.VirtualFunctions.AddressesOf(physical, registers))
        {
            if (!taken.Add(address))
                problems.Add($"{physical}: its virtual function {address} stands where another function is");
            if (document.Sriov!.MigrationFirmware is { } firmware)
                MigrationFirmware[address] = firmware;
            functions.Add(new LspciFunction(address, 0)
            {
                Bytes = ModelSpace.BuildVirtual(sriov, space),
                Name = NameOf(model.VendorId, sriov.Product),
                Driver = sriov.Driver,
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

    private static string? NameOf(ushort vendor, string? product) =>
        product is null ? null : $"{Reading.PciNames.Vendor(vendor) ?? $"Vendor {vendor:x4}"} {product}";

    private static (ushort Vendor, ushort Device)? Ids(string? text) => text is null ? null : LspciHeader.Ids(text);
}
