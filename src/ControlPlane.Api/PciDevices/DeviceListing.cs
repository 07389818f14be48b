using System.Globalization;
using ControlPlane.Api.Access;
using ControlPlane.Api.Conventions;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Orchestration;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.VirtualMachines;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.PciDevices;

/// <summary>The list of devices and its filters.</summary>
internal sealed class DeviceListing(DeviceStore devices, VmStore vms, DeviceOwners owners, ProjectScope projects, FleetDirectory fleet)
{
    public static readonly string[] Sorts = ["address"];

    public static readonly QueryParameter Host = QueryParameter.Text("host", "Only those of this host, by id or name.");

    public static readonly QueryParameter[] Filters =
    [
        QueryParameter.Text("vendorId", "Four hex digits."),
        QueryParameter.Text("deviceId", "Four hex digits."),
        QueryParameter.Text("classCode", "Two to six hex digits from the left: `02` finds every network controller."),
        QueryParameter.Choice<Wire.PciKind>("kind", "Only those of this kind."),
        QueryParameter.Choice<Wire.FunctionKind>("function", "Only those with this part in SR-IOV."),
        QueryParameter.Choice<Wire.DeviceState>("state", "Only those in this state."),
        QueryParameter.Text("pool", "Only members of this pool, by id or name."),
        QueryParameter.Number("numaNode", "Only those on this NUMA node.", 0, int.MaxValue),
        QueryParameter.Text("vm", "Only those that this VM holds, by id, or by name in the project."),
        QueryParameter.Project,
    ];

    public async Task<Answer> ListAsync(Query query, HostId? host, Caller caller, CancellationToken ct)
    {
        var errors = new Dictionary<string, string[]>();
        var vendor = Hex(query, "vendorId", errors);
        var device = Hex(query, "deviceId", errors);
        var classCode = query.Text("classCode");
        if (classCode is not null && !(classCode.Length is >= 2 and <= 6 && classCode.All(char.IsAsciiHexDigit)))
            errors["classCode"] = ["must be two to six hex digits."];
        if (errors.Count > 0)
            return Fault.Fields(FaultKind.Malformed, errors);
        var vm = await FindVmAsync(query, caller, ct);
        if (!vm.Succeeded)
            return vm.Fault;
        DevicePool? pool = null;
        if (query.Text("pool") is { } poolName && (pool = fleet.FindPool(poolName)) is null)
            return NoDevices();
        if (host is null && query.Text("host") is { } hostName && (host = fleet.FindHost(hostName)?.Id) is null)
            return NoDevices();

        var filter = new DeviceFilter(
            host, vm.Value, vendor, device, classCode, (Domain.Pci.PciKind?)query.Choice<Wire.PciKind>("kind"),
            (Domain.Pci.FunctionKind?)query.Choice<Wire.FunctionKind>("function"),
            (Domain.Pci.DeviceState?)query.Choice<Wire.DeviceState>("state"), (int?)query.Number("numaNode"), pool);
        if (!(await devices.ListAsync(filter, Paging.Request(query, Sorts), ct)).TryGet(out var page, out var wrong))
            return wrong;
        return Answer.Ok(new Wire.Page<PciDeviceResponse>(await owners.ToResponsesAsync(page.Items, caller, ct), page.NextPageToken));
    }

    /// <summary>Null: no such filter. A VM that is not there, or may not be seen, holds nothing.</summary>
    private async Task<Outcome<VmId?>> FindVmAsync(Query query, Caller caller, CancellationToken ct)
    {
        if (!projects.Resolve(caller, query.Text("project")).TryGet(out var project, out var unknown))
            return unknown;
        if (query.Text("vm") is not { } named)
            return (VmId?)null;
        var vm = Guid.TryParse(named, out var id) ? await vms.FindAsync(VmId.From(id), ct)
            : DnsLabel.IsValid(named) ? await vms.FindByNameAsync(project.Id, named, ct)
            : null;
        return vm is not null && caller.MaySee(vm.Project) ? vm.Id : new VmId(Guid.Empty);
    }

    private static Answer NoDevices() => Answer.Ok(new Wire.Page<PciDeviceResponse>([], null));

    private static ushort? Hex(Query query, string name, Dictionary<string, string[]> errors)
    {
        if (query.Text(name) is not { } text)
            return null;
        if (text.Length == 4 && ushort.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value))
            return value;
        errors[name] = ["must be four hex digits."];
        return null;
    }
}
