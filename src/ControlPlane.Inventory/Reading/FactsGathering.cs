using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Libvirt;
using ControlPlane.Inventory.Linux;
using ControlPlane.Inventory.Lspci;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Reading;

/// <summary>
/// Puts what the different texts say of a function into one. lspci's bytes know the hardware best, sysfs knows the kernel's view, libvirt
/// says both in part; each fills what the one before left open.
/// </summary>
internal sealed class FactsGathering
{
    private readonly Dictionary<PciAddress, FunctionFacts> functions = [];

    public IReadOnlyDictionary<PciAddress, FunctionFacts> Functions => functions;

    /// <summary>True when the host says of at least one function in which group it is.</summary>
    public bool HostShowsGroups { get; private set; }

    public void AddDump(LspciDump dump, WarningList warnings)
    {
        var names = NameSplitter.Learn(dump.Functions);
        foreach (var function in dump.Functions)
        {
            var (vendor, device) = names.Split(function);
            functions[function.Address] = FactsFromLspci.Make(function, warnings) with { VendorName = vendor, DeviceName = device };
        }
        var denied = dump.Functions.Count(f => f.AccessDenied);
        if (denied > 0)
            warnings.Add(null, $"was made without privileges: the capabilities of {denied} functions are missing; 'sudo lspci -Dvvvnnk -xxxx' shows them");
    }

    public void AddNodeDevices(NodeDevices devices, WarningList warnings)
    {
        var fromDump = functions.Count > 0;
        foreach (var device in devices.Functions.Values.OrderBy(d => d.Address))
        {
            if (functions.TryGetValue(device.Address, out var known))
                functions[device.Address] = Fill(known, device);
            else
            {
                if (fromDump)
                    warnings.Add(null, "is in nodeDevices and not in lspci", device.Address);
                functions[device.Address] = FactsFromNodeDevice.Make(device, devices.Functions);
            }
        }
    }

    public void AddSysfs(SysfsText sysfs, WarningList warnings)
    {
        foreach (var said in sysfs.Functions.Values.OrderBy(f => f.Line))
        {
            if (!functions.TryGetValue(said.Address, out var function))
            {
                warnings.Add(said.Line, "is described nowhere else; the line is left out", said.Address);
                continue;
            }
            functions[said.Address] = function with
            {
                NumaNode = said.NumaNode is null ? function.NumaNode : said.NumaNode >= 0 ? said.NumaNode : null,
                Driver = said.Driver is null ? function.Driver : said.Driver.Length > 0 ? said.Driver : null,
                ShownReset = said.Reset ?? function.ShownReset,
                IsVirtual = said.SaysPhysicalFunction ? said.PhysicalFunction is not null : function.IsVirtual,
                PhysicalFunction = said.SaysPhysicalFunction ? said.PhysicalFunction : function.PhysicalFunction,
            };
        }
    }

    /// <summary>The links are the kernel's own word: with them, a function without one has no group.</summary>
    public void AddLinks(IommuGroupLinks links, WarningList warnings)
    {
        if (links.GroupByFunction.Count == 0)
        {
            warnings.Add(null, "has no link: the host's IOMMU is off or the text is missing; groups are computed as they would be with it on");
            return;
        }
        foreach (var address in functions.Keys.ToList())
        {
            var linked = links.GroupByFunction.TryGetValue(address, out var group);
            if (linked && functions[address].ShownGroup is { } shown && shown != group)
                warnings.Add(null, $"is in group {group} by its link and in group {shown} by lspci or libvirt; the link counts", address);
            functions[address] = functions[address] with { ShownGroup = linked ? group : null };
        }
        foreach (var address in links.GroupByFunction.Keys.Where(a => !functions.ContainsKey(a)).Order())
            warnings.Add(null, "has a group but is described nowhere", address);
    }

    /// <summary>Marks functions whose state a driver can save and load.</summary>
    public void AddMigrationFirmware(IReadOnlyDictionary<PciAddress, string> firmware)
    {
        foreach (var (address, version) in firmware)
            functions[address] = functions[address] with { MigrationFirmware = version };
    }

    public void Finish(WarningList warnings)
    {
        HostShowsGroups = functions.Values.Any(f => f.ShownGroup is not null);
        VirtualFunctions.Resolve(functions, warnings);
    }

    private static FunctionFacts Fill(FunctionFacts known, NodeDevice device) => known with
    {
        VendorId = known.VendorId == 0xffff ? device.VendorId : known.VendorId,
        DeviceId = known.DeviceId == 0xffff ? device.DeviceId : known.DeviceId,
        // libvirt keeps vendor and device apart; lspci does not.
        VendorName = device.VendorName ?? known.VendorName,
        DeviceName = device.DeviceName ?? known.DeviceName,
        Driver = known.Driver ?? device.Driver,
        NumaNode = known.NumaNode ?? device.NumaNode,
        ShownGroup = known.ShownGroup ?? device.IommuGroup,
        ShownParent = device.Parent,
        DomainMaker = device.DomainMaker,
        IsVirtual = known.IsVirtual || device.PhysicalFunction is not null,
        PhysicalFunction = known.PhysicalFunction ?? device.PhysicalFunction,
        Capabilities = known.Capabilities.Express is { Link: null } express && device.Link is { } link
            ? known.Capabilities with { Express = express with { Link = link } }
            : known.Capabilities,
    };
}

/// <summary>Facts of a function that only libvirt describes.</summary>
internal static class FactsFromNodeDevice
{
    public static FunctionFacts Make(NodeDevice device, IReadOnlyDictionary<PciAddress, NodeDevice> all) => new(device.Address)
    {
        Space = ConfigurationSpace.Decode(ReadOnlyMemory<byte>.Empty),
        Header = device.IsBridge || device.ClassCode >> 8 == 0x0604 ? HeaderType.Bridge : HeaderType.Endpoint,
        ClassCode = device.ClassCode,
        VendorId = device.VendorId,
        DeviceId = device.DeviceId,
        VendorName = device.VendorName,
        DeviceName = device.DeviceName,
        Driver = device.Driver,
        NumaNode = device.NumaNode,
        ShownGroup = device.IommuGroup,
        ShownParent = device.Parent,
        DomainMaker = device.DomainMaker,
        IsVirtual = device.PhysicalFunction is not null,
        PhysicalFunction = device.PhysicalFunction,
        Capabilities = new DecodedCapabilities
        {
            Sriov = device.TotalVfs is { } total ? MakeSriov(device, total, all) : null,
            Express = device.IsExpress
                ? new ExpressCapability(0, 2, PortTypeOf(device, all), false, false, device.Link, false, false, 0, false, false)
                : null,
        },
    };

    /// <summary>libvirt shows where the functions are, and so where the first one is and how far the next.</summary>
    private static SriovRegisters MakeSriov(NodeDevice device, int total, IReadOnlyDictionary<PciAddress, NodeDevice> all)
    {
        var made = device.VirtualFunctions.Where(f => f.Domain == device.Address.Domain).Order().ToList();
        var offset = made.Count > 0 ? made[0].RoutingId - device.Address.RoutingId : 0;
        var stride = made.Count > 1 ? made[1].RoutingId - made[0].RoutingId : 1;
        var vfDevice = made.Count > 0 && all.TryGetValue(made[0], out var first) ? first.DeviceId : (ushort)0;
        return new SriovRegisters(
            0, made.Count > 0 && offset > 0, made.Count > 0, false, total, total, made.Count, 0, Math.Max(offset, 0), stride, vfDevice, 0x553, 1, new uint[6]);
    }

    /// <summary>libvirt does not name the type; the place in the tree mostly gives it.</summary>
    private static ExpressPortType PortTypeOf(NodeDevice device, IReadOnlyDictionary<PciAddress, NodeDevice> all)
    {
        if (!device.IsBridge)
            return device.Parent is null ? ExpressPortType.RootComplexEndpoint : ExpressPortType.Endpoint;
        if (device.Parent is not { } parent || !all.TryGetValue(parent, out var above))
            return ExpressPortType.RootPort;
        return above.Parent is null ? ExpressPortType.UpstreamPort : ExpressPortType.DownstreamPort;
    }
}
