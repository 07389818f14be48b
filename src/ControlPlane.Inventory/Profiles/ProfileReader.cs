using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.DeviceModels;
using ControlPlane.Inventory.Linux;
using ControlPlane.Inventory.Lspci;
using ControlPlane.Inventory.Reading;

namespace ControlPlane.Inventory.Profiles;

/// <summary>Reads a hardware profile from YAML; the README of this folder documents the format.</summary>
public static class ProfileReader
{
    private const string Code = "invalid-profile";

    /// <summary>A fault (422, <c>invalid-profile</c>) lists everything that is wrong.</summary>
    /// <param name="models">That its functions may name; null: those that ship.</param>
    public static Outcome<HostProfile> Read(string yaml, DeviceModelCatalog? models = null)
    {
        var machine = new ProfileMachine(models ?? DeviceModelCatalog.Shipped);
        if (!YamlText.Read<ProfileDocument>("profile", Code, yaml).TryGet(out var document, out var fault))
            return fault;
        var problems = Check(document).ToList();
        if (problems.Count > 0)
            return Fault.Impossible(Code, string.Join("; ", problems));
        var read = document.Capture is { } capture ? FromCapture(document, capture, machine) : FromTree(document, machine);
        return models is null || !read.TryGet(out var profile, out _) ? read : profile with { Models = models };
    }

    private static IEnumerable<string> Check(ProfileDocument document)
    {
        if (!DnsLabel.IsValid(document.Name))
            yield return $"name {DnsLabel.Rule}";
        if (string.IsNullOrWhiteSpace(document.Description))
            yield return "description is missing";
        if (document.Numa is not { Count: > 0 })
            yield return "numa needs at least one node with cpus and memoryMiB";
        foreach (var cell in document.Numa ?? [])
        {
            var pages = (2L * cell.Hugepages2MiB) + (1024L * cell.Hugepages1GiB);
            if (cell.Node < 0 || cell.Cpus < 0 || cell.MemoryMiB < 0 || cell.Hugepages2MiB < 0 || cell.Hugepages1GiB < 0 || pages > cell.MemoryMiB)
                yield return $"numa node {cell.Node} has negative numbers, or more huge pages than memory";
        }
        if ((document.Numa ?? []).GroupBy(n => n.Node).Any(n => n.Count() > 1))
            yield return "numa has a node twice";
        if (document.Capture is null == document.Roots is null)
            yield return "exactly one of capture and roots says what hardware there is";
    }

    private static Outcome<HostProfile> FromCapture(ProfileDocument document, CaptureDocument capture, ProfileMachine machine)
    {
        var gathering = new FactsGathering();
        var list = new WarningList(LspciDump.Source);
        if (!LspciDump.Parse(capture.Lspci ?? "").TryGet(out var dump, out var fault))
            return fault;
        gathering.AddDump(dump, list);
        if (capture.Sysfs is { } text)
        {
            if (!SysfsText.Parse(text).TryGet(out var sysfs, out fault))
                return fault;
            gathering.AddSysfs(sysfs, list);
        }
        if (capture.IommuGroups is { } links)
        {
            if (!IommuGroupLinks.Parse(links).TryGet(out var groups, out fault))
                return fault;
            gathering.AddLinks(groups, list);
        }
        return Finish(document, gathering, [.. dump.Warnings, .. list.ToList()], machine);
    }

    private static Outcome<HostProfile> FromTree(ProfileDocument document, ProfileMachine machine)
    {
        foreach (var root in document.Roots!)
            machine.AddRoot(root);
        if (machine.Problems.Count > 0)
            return Fault.Impossible(Code, string.Join("; ", machine.Problems));
        if (machine.Functions.Count == 0)
            return Fault.Impossible(Code, "roots have no function");
        var gathering = new FactsGathering();
        var list = new WarningList("roots");
        gathering.AddDump(new LspciDump(machine.Functions, []), list);
        gathering.AddMigrationFirmware(machine.MigrationFirmware);
        return Finish(document, gathering, list.ToList(), machine);
    }

    private static Outcome<HostProfile> Finish(ProfileDocument document, FactsGathering gathering, IReadOnlyList<InventoryWarning> warnings, ProfileMachine machine)
    {
        var list = new WarningList("profile");
        gathering.Finish(list);
        var cells = document.Numa!.OrderBy(n => n.Node).Select(n => new NumaCell(n.Node, n.Cpus, n.MemoryMiB, n.Hugepages2MiB, n.Hugepages1GiB)).ToList();
        var capacity = new HostCapacity(
            cells.Sum(c => c.Cpus), cells.Sum(c => c.MemoryMiB), cells.Sum(c => c.Hugepages2MiB), cells.Sum(c => c.Hugepages1GiB), cells);
        var cpu = document.Cpu is { } said ? new CpuModel(said.Vendor ?? "", said.Model ?? "", said.Features ?? []) : CpuModel.Unknown;
        var hardware = new DescriptionBuilder(capacity, cpu).Build(gathering.Functions, gathering.HostShowsGroups, [.. warnings, .. list.ToList()]);
        var problems = new List<string>();
        machine.Assignable.UnionWith(Addresses("assignable", document.Assignable ?? [], hardware, problems));
        machine.HostCritical.UnionWith(Addresses("hostCritical", document.HostCritical ?? [], hardware, problems));
        foreach (var address in Addresses("physicalNetworks", document.PhysicalNetworks?.Keys ?? Enumerable.Empty<string>(), hardware, problems))
            machine.PhysicalNetworks[address] = document.PhysicalNetworks![address.ToString()];
        return problems.Count > 0
            ? Fault.Impossible(Code, string.Join("; ", problems))
            : new HostProfile(document.Name!, document.Description!.Trim(), hardware, machine.Assignable, machine.HostCritical, machine.PhysicalNetworks);
    }

    private static List<PciAddress> Addresses(string field, IEnumerable<string> texts, HostDescription hardware, List<string> problems)
    {
        var known = hardware.Inventory.Functions.Select(f => f.Address).ToHashSet();
        var addresses = new List<PciAddress>();
        foreach (var text in texts)
        {
            if (PciAddress.TryParse(text, out var address) && known.Contains(address) && address.ToString() == text)
                addresses.Add(address);
            else
                problems.Add($"{field}: '{text}' is no function of this machine (write it as 0000:41:00.0)");
        }
        return addresses;
    }
}
