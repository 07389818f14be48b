using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.DeviceModels;

/// <summary>Reads a device model from YAML; the README of this folder documents the format.</summary>
public static class DeviceModelReader
{
    internal const string Code = "invalid-device-model";

    /// <summary>A fault (422, <c>invalid-device-model</c>) lists everything that is wrong: the field, and what belongs there.</summary>
    public static Outcome<DeviceModel> Read(string yaml)
    {
        if (!YamlText.Read<DeviceModelDocument>("device model", Code, yaml).TryGet(out var document, out var fault))
            return fault;
        var fields = new ModelFields();
        var model = Read(document, fields);
        return fields.Problems.Count == 0
            ? model
            : Fault.Impossible(Code, $"{document.Name ?? "device model"}: {string.Join("; ", fields.Problems)}");
    }

    private static DeviceModel Read(DeviceModelDocument document, ModelFields fields)
    {
        fields.Check(DnsLabel.IsValid(document.Name), "name", DnsLabel.Rule);
        fields.Check(!string.IsNullOrWhiteSpace(document.Product), "product", "is missing; say what lspci prints after the vendor");
        fields.Check(document.Revision is >= 0 and <= 255, "revision", "is a byte: write 0 to 255");
        var (vendor, device) = fields.Ids("id", document.Id);
        var bars = fields.Bars("bars", document.Bars);
        var capabilities = ReadCapabilities(document.Capabilities ?? new CapabilitiesDocument(), bars, fields);
        var sriov = document.Sriov is { } said ? ReadSriov(said, fields) : null;
        fields.Check(sriov is null || capabilities.Express is not null, "sriov", "needs capabilities.express: SR-IOV is a capability of PCI Express");
        return new DeviceModel
        {
            Name = document.Name ?? "",
            Product = document.Product?.Trim(),
            VendorId = vendor,
            DeviceId = device,
            ClassCode = fields.Class("class", document.Class),
            Subsystem = document.Subsystem is null ? (vendor, device) : fields.Ids("subsystem", document.Subsystem),
            Revision = (byte)document.Revision,
            Driver = document.Driver,
            Bars = bars,
            Capabilities = capabilities,
            Sriov = sriov,
            Limits = ReadLimits(document.Limits ?? new LimitsDocument(), sriov, fields),
            Mediated = document.Mediated is { } mediated ? ReadMediated(mediated, fields) : null,
        };
    }

    private static ModelCapabilities ReadCapabilities(CapabilitiesDocument document, IReadOnlyList<ModelBar> bars, ModelFields fields)
    {
        const string at = "capabilities";
        fields.Check(document.Msi is 0 or 1 or 2 or 4 or 8 or 16 or 32, $"{at}.msi", "counts interrupt vectors: write 0 (none), 1, 2, 4, 8, 16 or 32");
        var express = document.Express is { } said ? ReadExpress(said, fields) : null;
        fields.Check(
            express is not null || document is { Aer: false, Acs: false, Ari: false, Ats: null }, at,
            "has aer, acs, ari or ats without express; say express, or leave them out");
        return new ModelCapabilities
        {
            NoSoftReset = document.PowerManagement?.NoSoftReset,
            MsiVectors = document.Msi,
            Msix = fields.Msix($"{at}.msix", document.Msix, bars),
            Express = express,
            AdvancedErrorReporting = document.Aer,
            Acs = document.Acs,
            Ari = document.Ari,
            AtsQueueDepth = fields.Ats($"{at}.ats", document.Ats),
        };
    }

    private static ModelExpress ReadExpress(ExpressDocument document, ModelFields fields)
    {
        const string at = "capabilities.express";
        fields.Check(document.Type is null or "endpoint" or "integrated", $"{at}.type", "is endpoint, as when nothing is said, or integrated");
        var integrated = document.Type == "integrated";
        fields.Check(
            integrated || document.SpeedGTs is 2.5 or 5 or 8 or 16 or 32 or 64, $"{at}.speedGTs", "is a speed of PCI Express: write 2.5, 5, 8, 16, 32 or 64");
        fields.Check(integrated || document.Width is 1 or 2 or 4 or 8 or 12 or 16 or 32, $"{at}.width", "counts lanes: write 1, 2, 4, 8, 12, 16 or 32");
        return new ModelExpress(
            integrated ? ExpressPortType.RootComplexEndpoint : ExpressPortType.Endpoint, document.Flr,
            integrated ? null : new PciLink(document.SpeedGTs, document.Width, document.SpeedGTs, document.Width));
    }

    private static ModelSriov ReadSriov(ModelSriovDocument document, ModelFields fields)
    {
        var offsets = document.Offset ?? [];
        fields.Check(document.Total is >= 1 and <= 65_535, "sriov.total", "is the capability's TotalVFs: write 1 to 65535");
        fields.Check(offsets.Count is >= 1 and <= 8 && offsets.All(o => o is >= 1 and <= 65_535), "sriov.offset", "is a list of First VF Offsets, one for each port: write [128]");
        fields.Check(document.Stride is >= 1 and <= 65_535, "sriov.stride", "is the distance of routing ids: write 1 or more");
        var bars = fields.Bars("sriov.bars", document.Bars);
        fields.Check(bars.All(b => !b.IsIo), "sriov.bars", "has I/O ports, which virtual functions cannot have; leave them out");
        return new ModelSriov(document.Total, fields.Id("sriov.device", document.Device), offsets.Count == 0 ? [1] : offsets, document.Stride)
        {
            Product = document.Product?.Trim(),
            Driver = document.Driver,
            Bars = bars,
            Msix = fields.Msix("sriov.msix", document.Msix, bars),
            AtsQueueDepth = fields.Ats("sriov.ats", document.Ats),
        };
    }

    private static DeviceLimits ReadLimits(LimitsDocument document, ModelSriov? sriov, ModelFields fields)
    {
        var unknown = DeviceLimits.Unknown;
        var limits = new DeviceLimits(
            document.VirtualFunctions ?? sriov?.Total ?? unknown.VirtualFunctions, document.QueuePairs ?? unknown.QueuePairs, document.Pools ?? unknown.Pools,
            document.MulticastFilters ?? unknown.MulticastFilters, document.GuaranteesRates ?? unknown.GuaranteesRates, document.LinkMbps ?? unknown.LinkMbps);
        fields.Check(document.VirtualFunctions is null || sriov is not null, "limits.virtualFunctions", "needs sriov: a function without it makes none");
        fields.Check(limits.VirtualFunctions is >= 0 and <= 65_535, "limits.virtualFunctions", "is how many one port really makes: write 1 to 65535");
        fields.Check(limits.QueuePairs is >= 1 and <= 65_535, "limits.queuePairs", "counts those of one virtual function: write 1 or more");
        fields.Check(limits.Pools is >= 0 and <= 65_535, "limits.pools", "counts those of a port: write 0 when it does not sort for the host");
        fields.Check(limits.MulticastFilters >= 0, "limits.multicastFilters", "counts those of one virtual function: write 0 or more");
        fields.Check(limits.LinkMbps >= 1, "limits.linkMbps", "is the speed of a port in Mbit/s: write 10000 for 10 Gbit/s");
        return limits;
    }

    private static MediatedKinds ReadMediated(MediatedDocument document, ModelFields fields)
    {
        fields.Check(document.FramebufferMiB >= 1, "mediated.framebufferMiB", "is the memory of the device: write its MiB");
        fields.Check(document.Slices >= 0, "mediated.slices", "counts what partitioned types share: write 0 when there are none");
        fields.Check(document.RequesterOffset is >= 1 and <= 255, "mediated.requesterOffset", "is the distance to the first instance's routing id: write 1 to 255");
        fields.Check(document.Types is { Count: > 0 }, "mediated.types", "is empty; say at least one type, or leave mediated out");
        var types = (document.Types ?? []).Select((t, i) => ReadType(t, $"mediated.types[{i}]", document, fields)).ToArray();
        var names = types.SelectMany(t => t.Id == t.Name ? [t.Id] : new[] { t.Id, t.Name }).ToArray();
        fields.Check(names.Distinct().Count() == names.Length, "mediated.types", "names a type twice; each type and name must be its own");
        return new MediatedKinds(document.FramebufferMiB, document.Slices, document.RequesterOffset, document.DeviceApi ?? "vfio-pci", types);
    }

    private static MediatedType ReadType(MediatedTypeDocument document, string at, MediatedDocument device, ModelFields fields)
    {
        var partitioned = document.Sharing == "partitioned";
        fields.Check(!string.IsNullOrWhiteSpace(document.Type), $"{at}.type", "is missing; say the id, such as nvidia-692");
        fields.Check(document.Sharing is "time-sliced" or "partitioned", $"{at}.sharing", "is time-sliced or partitioned");
        fields.Check(
            document.FramebufferMiB >= 1 && document.FramebufferMiB <= device.FramebufferMiB, $"{at}.framebufferMiB",
            "is an instance's part of mediated.framebufferMiB: write 1 to that");
        fields.Check(document.Instances >= 1, $"{at}.instances", "is the most on one device: write 1 or more");
        fields.Check(
            partitioned ? document.Slices >= 1 && document.Slices <= device.Slices : document.Slices == 0, $"{at}.slices",
            "is a partitioned instance's part of mediated.slices: write 1 to that, and nothing for a time-sliced type");
        return new MediatedType(
            document.Type ?? "", document.Name ?? document.Type ?? "", partitioned ? MediatedSharing.Partitioned : MediatedSharing.TimeSliced,
            document.FramebufferMiB, document.Instances, document.Slices);
    }
}
