using System.Globalization;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.DeviceModels;
using ControlPlane.Inventory.Lspci;

namespace ControlPlane.Inventory.Profiles;

/// <summary>What an endpoint of a hand-written machine is: a device model that it names, or one made from its own fields.</summary>
internal sealed class FunctionModels(DeviceModelCatalog catalog, List<string> problems)
{
    private static readonly ModelBar[] UnsaidBars = [new(0, 1 << 20, IsIo: false, Is64Bit: true, Prefetchable: true)];
    private static readonly ModelBar[] UnsaidVirtualBars =
        [new(0, 1 << 14, IsIo: false, Is64Bit: true, Prefetchable: false), new(3, 1 << 14, IsIo: false, Is64Bit: true, Prefetchable: false)];

    /// <summary>Null: it cannot be made, and a problem says why.</summary>
    public DeviceModel? Of(FunctionDocument document, PciAddress address, bool onRootBus)
    {
        if (document.Model is null)
            return FromFields(document, address, onRootBus);
        if (catalog.Find(document.Model) is not { } model)
        {
            problems.Add($"{address}: model '{document.Model}' is none of {string.Join(", ", catalog.Models.Select(m => m.Name))}");
            return null;
        }
        foreach (var field in SaidByModel(document))
            problems.Add($"{address}: {field} is what model {document.Model} says; leave it out");
        var subsystem = document.Subsystem is { } said ? LspciHeader.Ids(said) : model.Subsystem;
        if (subsystem is null)
            problems.Add($"{address}: subsystem '{document.Subsystem}' is no vendor and device such as 8086:0007");
        return model with
        {
            Subsystem = subsystem ?? default,
            Revision = document.Revision is { } revision ? (byte)revision : model.Revision,
            Driver = document.Driver ?? model.Driver,
            Sriov = Configured(document, model, address),
        };
    }

    /// <summary>What the machine's firmware was set to: fewer or more virtual functions than the model's usual, up to what the hardware has.</summary>
    private ModelSriov? Configured(FunctionDocument document, DeviceModel model, PciAddress address)
    {
        if (document.Sriov is not { } said)
            return model.Sriov;
        if (model.Sriov is null)
        {
            problems.Add($"{address}: sriov is nothing that model {document.Model} has; leave it out");
            return null;
        }
        var total = said.Total ?? model.Sriov.Total;
        if (total > Math.Max(model.Limits.VirtualFunctions, model.Sriov.Total))
            problems.Add($"{address}: sriov.total is {total}, but model {document.Model} has at most {Math.Max(model.Limits.VirtualFunctions, model.Sriov.Total)}");
        return model.Sriov with { Total = total, Offsets = said.Offset is { } offset ? [offset] : model.Sriov.Offsets };
    }

    private DeviceModel? FromFields(FunctionDocument document, PciAddress address, bool onRootBus)
    {
        if ((document.Id is null ? null : LspciHeader.Ids(document.Id)) is not var (vendor, device))
        {
            problems.Add($"{address}: id '{document.Id}' is no vendor and device such as 8086:10c9");
            return null;
        }
        var express = ExpressOf(document, address, onRootBus);
        return new DeviceModel
        {
            Name = "",
            Product = document.Name,
            VendorId = vendor,
            DeviceId = device,
            ClassCode = ClassOf(document, address),
            Subsystem = (document.Subsystem is null ? null : LspciHeader.Ids(document.Subsystem)) ?? (vendor, device),
            Revision = (byte)(document.Revision ?? 0),
            Driver = document.Driver,
            Bars = UnsaidBars,
            Capabilities = new ModelCapabilities
            {
                NoSoftReset = express is not null || document.PowerReset ? !document.PowerReset : null,
                MsiVectors = document.Msi,
                Msix = document.Msix > 0 ? new ModelMsix(document.Msix, 0, 0, 0x2000) : null,
                Express = express,
                AdvancedErrorReporting = express is not null,
                Acs = document.Acs,
                Ari = document.Ari,
            },
            Sriov = SriovOf(document, address),
        };
    }

    private ModelSriov? SriovOf(FunctionDocument document, PciAddress address)
    {
        if (document.Sriov is not { } said)
            return null;
        if (said is not { Total: >= 1, Offset: { } offset, Stride: { } stride } || said.Device is not { Length: 4 } || LspciHeader.Hex(said.Device) is not { } device)
        {
            problems.Add($"{address}: sriov needs total, count (at most total), device, offset and stride that stay on the segment");
            return null;
        }
        return new ModelSriov(said.Total.Value, (ushort)device, [offset], stride)
        {
            Driver = said.Driver,
            Bars = UnsaidVirtualBars,
            Msix = said.Msix > 0 ? new ModelMsix(said.Msix, 3, 0, 0x2000) : null,
        };
    }

    private ModelExpress? ExpressOf(FunctionDocument document, PciAddress address, bool onRootBus)
    {
        var link = document.Link is { } said ? new PciLink(said.SpeedGTs, said.Width, said.SpeedGTs, said.Width) : null;
        switch (document.Express)
        {
            case null when onRootBus:
            case "none":
                return null;
            case null:
            case "endpoint":
                return new ModelExpress(ExpressPortType.Endpoint, document.Flr, link);
            case "integrated":
                return new ModelExpress(ExpressPortType.RootComplexEndpoint, document.Flr, link);
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

    private static IEnumerable<string> SaidByModel(FunctionDocument document)
    {
        var (d, s) = (document, document.Sriov);
        (string Field, bool Said)[] fields =
        [
            ("id", d.Id is not null), ("class", d.Class is not null), ("name", d.Name is not null), ("express", d.Express is not null),
            ("acs", d.Acs), ("ari", d.Ari), ("hotPlug", d.HotPlug), ("flr", d.Flr),
            ("powerReset", d.PowerReset), ("msi", d.Msi != 0), ("msix", d.Msix != 0), ("sriov.device", s?.Device is not null),
            ("sriov.stride", s?.Stride is not null), ("sriov.msix", s is { Msix: not 0 }), ("sriov.driver", s?.Driver is not null),
        ];
        return fields.Where(f => f.Said).Select(f => f.Field);
    }
}
