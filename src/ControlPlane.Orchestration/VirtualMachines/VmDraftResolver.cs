using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Projects;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>Checks a draft whole and resolves its names. What it lets through is a spec that only capacity can refuse.</summary>
public sealed class VmDraftResolver(FleetDirectory fleet, IHypervisorFleet hypervisors)
{
    private const int MaxLabels = 64;
    private const int MaxLabelLength = 253;
    private const long MaxDiskGiB = 64 * 1024;
    private const long MinMemoryMiB = 16;

    public Outcome<VmSpec> Resolve(VmDraft draft)
    {
        var errors = new FieldErrors();
        errors.Label("name", draft.Name);
        errors.Range("vcpus", draft.Vcpus, 1, VmSpec.MaxVcpus);
        errors.Range("memoryMiB", draft.MemoryMiB, MinMemoryMiB, VmSpec.MaxMemoryMiB, " MiB");
        if (draft.Hugepages != HugepageSize.None && draft.MemoryMiB % PageMiB(draft.Hugepages) != 0)
            errors.Impossible("memoryMiB", $"must be a multiple of {PageMiB(draft.Hugepages)} MiB to be made of huge pages.");
        errors.Label("image", draft.Image);
        GuestLabels(errors, draft.Labels, hypervisors);

        var names = new HashSet<string>(StringComparer.Ordinal);
        var disks = Disks(errors, draft.Disks);
        var interfaces = Interfaces(errors, draft.Interfaces, names);
        var devices = Devices(errors, draft.Devices, names);
        var placement = Placement(errors, draft.Placement);
        if (errors.Any)
            return errors.ToFault();
        return new VmSpec(
            (int)draft.Vcpus, draft.MemoryMiB, draft.Hugepages, draft.Image!, disks, interfaces, devices, draft.NumaPolicy,
            draft.DeviceSpread, placement, draft.Labels, draft.Start);
    }

    /// <summary>One interface on its way into a VM that has the given names and MACs already.</summary>
    public Outcome<InterfaceSpec> ResolveInterface(InterfaceDraft draft, IReadOnlyCollection<string> taken)
    {
        var errors = new FieldErrors();
        var spec = Interface(errors, "", draft, [.. taken], []);
        return errors.Any ? errors.ToFault() : spec!;
    }

    /// <summary>One device request on its way into a VM that has the given names already.</summary>
    public Outcome<DeviceRequestSpec> ResolveDevice(DeviceRequestDraft draft, IReadOnlyCollection<string> taken)
    {
        var errors = new FieldErrors();
        var spec = Device(errors, "", draft, [.. taken]);
        return errors.Any ? errors.ToFault() : spec!;
    }

    internal static long PageMiB(HugepageSize size) => size == HugepageSize.Size1GiB ? 1024 : 2;

    /// <summary>A VM's labels: the user's own, and those that a backend heeds, which it must be able to read.</summary>
    internal static void GuestLabels(FieldErrors errors, IReadOnlyDictionary<string, string> labels, IHypervisorFleet hypervisors)
    {
        Labels(errors, "labels", labels);
        // One without a text is told of already.
        if (labels.Values.Contains(null))
            return;
        foreach (var unreadable in hypervisors.CheckGuestLabels(labels))
            errors.Malformed($"labels.{unreadable.Key}", unreadable.Why);
    }

    internal static void Labels(FieldErrors errors, string field, IReadOnlyDictionary<string, string> labels)
    {
        if (labels.Count > MaxLabels)
            errors.Impossible(field, $"has {labels.Count} entries; at most {MaxLabels} are kept.");
        foreach (var (key, value) in labels)
        {
            if (key.Length is 0 or > MaxLabelLength)
                errors.Malformed(field, $"has a key of {key.Length} characters; 1 to {MaxLabelLength} are allowed.");
            if (value is null || value.Length > MaxLabelLength)
                errors.Malformed($"{field}.{key}", $"must be a text of at most {MaxLabelLength} characters.");
        }
    }

    private static List<DiskSpec> Disks(FieldErrors errors, IReadOnlyList<DiskDraft> drafts)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (drafts.Count > VmSpec.MaxDisks)
            errors.Impossible("disks", $"has {drafts.Count} entries; a VM has at most {VmSpec.MaxDisks} disks.");
        var disks = new List<DiskSpec>();
        for (var i = 0; i < Math.Min(drafts.Count, VmSpec.MaxDisks); i++)
        {
            Name(errors, $"disks[{i}].name", drafts[i].Name, names);
            errors.Range($"disks[{i}].sizeGiB", drafts[i].SizeGiB, 1, MaxDiskGiB, " GiB");
            disks.Add(new DiskSpec(drafts[i].Name ?? "", (int)Math.Clamp(drafts[i].SizeGiB, 1, MaxDiskGiB)));
        }
        return disks;
    }

    private List<InterfaceSpec> Interfaces(FieldErrors errors, IReadOnlyList<InterfaceDraft> drafts, HashSet<string> names)
    {
        if (drafts.Count > VmSpec.MaxInterfaces)
            errors.Impossible("interfaces", $"has {drafts.Count} entries; a VM has at most {VmSpec.MaxInterfaces} interfaces.");
        var macs = new HashSet<MacAddress>();
        var specs = new List<InterfaceSpec>();
        for (var i = 0; i < Math.Min(drafts.Count, VmSpec.MaxInterfaces); i++)
            if (Interface(errors, $"interfaces[{i}].", drafts[i], names, macs) is { } spec)
                specs.Add(spec);
        return specs;
    }

    private InterfaceSpec? Interface(FieldErrors errors, string at, InterfaceDraft draft, HashSet<string> names, HashSet<MacAddress> macs)
    {
        Name(errors, $"{at}name", draft.Name, names);
        var network = draft.Network is null ? null : fleet.FindNetwork(draft.Network);
        if (draft.Network is null)
            errors.Malformed($"{at}network", "is required.");
        else if (network is null)
            errors.Impossible($"{at}network", $"there is no network '{draft.Network}'.");
        MacAddress? mac = null;
        if (draft.Mac is not null)
        {
            if (!MacAddress.TryParse(draft.Mac, out var parsed))
                errors.Malformed($"{at}mac", $"'{draft.Mac}' is not a MAC address such as 52:54:00:12:34:56.");
            else if (parsed.IsMulticast || parsed == MacAddress.Zero)
                errors.Impossible($"{at}mac", $"{parsed} is a group or zero address; an interface needs a unicast one.");
            else if (!macs.Add(parsed))
                errors.Impossible($"{at}mac", $"{parsed} is named twice in this VM.");
            else
                mac = parsed;
        }
        return network is null ? null : new InterfaceSpec(draft.Name ?? "", network.Id, draft.Attach, mac);
    }

    private List<DeviceRequestSpec> Devices(FieldErrors errors, IReadOnlyList<DeviceRequestDraft> drafts, HashSet<string> names)
    {
        var specs = new List<DeviceRequestSpec>();
        if (drafts.Count > VmSpec.MaxDevices)
        {
            errors.Impossible("devices", $"has {drafts.Count} entries; a VM has at most {VmSpec.MaxDevices} devices.");
            return specs;
        }
        long total = 0;
        for (var i = 0; i < drafts.Count; i++)
        {
            if (Device(errors, $"devices[{i}].", drafts[i], names) is { } spec)
                specs.Add(spec);
            total += Math.Max(0, Math.Min(drafts[i].Count, VmSpec.MaxDevices + 1));
        }
        if (total > VmSpec.MaxDevices && drafts.All(d => d.Count <= VmSpec.MaxDevices))
            errors.Impossible("devices", $"asks for {total} devices; a VM has at most {VmSpec.MaxDevices}.");
        return specs;
    }

    private DeviceRequestSpec? Device(FieldErrors errors, string at, DeviceRequestDraft draft, HashSet<string> names)
    {
        Name(errors, $"{at}name", draft.Name, names);
        errors.Range($"{at}count", draft.Count, 1, VmSpec.MaxDevices);
        var pool = draft.Pool is null ? null : fleet.FindPool(draft.Pool);
        if (draft.Pool is null)
            errors.Malformed($"{at}pool", "is required.");
        else if (pool is null)
            errors.Impossible($"{at}pool", $"there is no device pool '{draft.Pool}'.");
        return pool is null ? null : new DeviceRequestSpec(draft.Name ?? "", pool.Id, (int)Math.Clamp(draft.Count, 1, VmSpec.MaxDevices));
    }

    private PlacementSpec Placement(FieldErrors errors, PlacementDraft draft)
    {
        HostId? host = null;
        if (draft.Host is not null)
        {
            host = fleet.FindHost(draft.Host)?.Id;
            if (host is null)
                errors.Impossible("placement.host", $"there is no host '{draft.Host}'.");
        }
        if (draft.Group is not null)
            errors.Label("placement.group", draft.Group);
        Labels(errors, "placement.hostSelector", draft.HostSelector);
        return new PlacementSpec(host, draft.HostSelector, draft.Group, draft.GroupPolicy);
    }

    private static void Name(FieldErrors errors, string field, string? name, HashSet<string> taken)
    {
        errors.Label(field, name);
        if (name is not null && !taken.Add(name))
            errors.Impossible(field, $"'{name}' is taken by another part of this VM; names of interfaces and devices must differ.");
    }
}
