using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Inventory.Libvirt;
using ControlPlane.Inventory.Linux;
using ControlPlane.Inventory.Lspci;

namespace ControlPlane.Inventory.Reading;

/// <summary>Reads the description of a host from what standard tools printed on it.</summary>
public static class HostDescriptionReader
{
    /// <summary>
    /// A fault names the text that cannot be read at all (<c>lspci</c>, <c>nodeDevices[2]</c>…); everything smaller is a warning of the
    /// description, with its line.
    /// </summary>
    public static Outcome<HostDescription> Read(InventoryTexts texts)
    {
        var reading = new Reading();
        return (reading.ReadFunctions(texts) ?? reading.ReadMachine(texts)) is { } fault ? fault : reading.Build();
    }

    private sealed class Reading
    {
        private readonly FactsGathering gathering = new();
        private readonly List<InventoryWarning> warnings = [];
        private NodeDevices? nodeDevices;
        private LscpuText? lscpu;
        private HostCapabilities? capabilities;

        public Fault? ReadFunctions(InventoryTexts texts)
        {
            if (string.IsNullOrWhiteSpace(texts.Lspci) && texts.NodeDevices is null or { Count: 0 })
                return Fault.Field(FaultKind.Malformed, LspciDump.Source, "is empty, and there are no nodeDevices: nothing says which PCI functions the host has.");
            if (!string.IsNullOrWhiteSpace(texts.Lspci))
            {
                if (!LspciDump.Parse(texts.Lspci).TryGet(out var dump, out var fault))
                    return fault;
                Gather(LspciDump.Source, dump.Warnings, list => gathering.AddDump(dump, list));
            }
            if (texts.NodeDevices is { Count: > 0 })
            {
                if (!NodeDevices.Parse(texts.NodeDevices).TryGet(out nodeDevices, out var fault))
                    return fault;
                Gather("nodeDevices", nodeDevices.Warnings, list => gathering.AddNodeDevices(nodeDevices, list));
            }
            if (gathering.Functions.Count == 0)
                return Fault.Field(FaultKind.Malformed, "nodeDevices", "have no PCI function.");
            return ReadKernelView(texts);
        }

        /// <summary>The processors and the memory.</summary>
        public Fault? ReadMachine(InventoryTexts texts)
        {
            if (!string.IsNullOrWhiteSpace(texts.Lscpu))
            {
                if (!LscpuText.Parse(texts.Lscpu).TryGet(out lscpu, out var fault))
                    return fault;
                warnings.AddRange(lscpu.Warnings);
            }
            if (!string.IsNullOrWhiteSpace(texts.Capabilities))
            {
                if (!HostCapabilities.Parse(texts.Capabilities).TryGet(out capabilities, out var fault))
                    return fault;
                warnings.AddRange(capabilities.Warnings);
            }
            return null;
        }

        public HostDescription Build()
        {
            var list = new WarningList("inventory");
            gathering.Finish(list);
            var capacity = CapacityRule.Decide(lscpu, capabilities, gathering.Functions.Values, list);
            warnings.AddRange(list.ToList());
            var builder = new DescriptionBuilder(capacity, capabilities?.Cpu ?? lscpu?.Model ?? CpuModel.Unknown)
            {
                HasIommu = capabilities?.HasIommu ?? true,
                NetworkInterfaces = nodeDevices?.Interfaces ?? new Dictionary<Domain.Pci.PciAddress, HostNetworkInterface>(),
            };
            return builder.Build(gathering.Functions, gathering.HostShowsGroups, warnings);
        }

        private Fault? ReadKernelView(InventoryTexts texts)
        {
            if (!string.IsNullOrWhiteSpace(texts.Sysfs))
            {
                if (!SysfsText.Parse(texts.Sysfs).TryGet(out var sysfs, out var fault))
                    return fault;
                Gather(SysfsText.Source, sysfs.Warnings, list => gathering.AddSysfs(sysfs, list));
            }
            if (texts.IommuGroups is not null)
            {
                if (!IommuGroupLinks.Parse(texts.IommuGroups).TryGet(out var links, out var fault))
                    return fault;
                Gather(IommuGroupLinks.Source, links.Warnings, list => gathering.AddLinks(links, list));
            }
            return null;
        }

        private void Gather(string source, IReadOnlyList<InventoryWarning> parsed, Action<WarningList> add)
        {
            var list = new WarningList(source);
            add(list);
            warnings.AddRange(parsed);
            warnings.AddRange(list.ToList());
        }
    }
}
