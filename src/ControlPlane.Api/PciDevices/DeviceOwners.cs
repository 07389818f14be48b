using ControlPlane.Api.Access;
using ControlPlane.Contracts;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration;
using ControlPlane.Persistence.VirtualMachines;

namespace ControlPlane.Api.PciDevices;

/// <summary>
/// Devices as a caller may see them: everyone sees the hardware and whether it is taken, but by whom only within the projects they see.
/// </summary>
internal sealed class DeviceOwners(VmStore vms, FleetDirectory fleet)
{
    public async Task<IReadOnlyList<PciDeviceResponse>> ToResponsesAsync(IReadOnlyList<PciDevice> devices, Caller caller, CancellationToken ct)
    {
        var owners = await ReadAsync(devices, ct);
        return
        [
            .. devices.Select(d => d.ToResponse(
                fleet.FindHost(d.Host)?.Name ?? d.Host.ToString(), Owner(d, owners, caller),
                [.. fleet.Pools.Where(p => p.Contains(d.Host, d.Facts)).Select(p => p.Name).Order(StringComparer.Ordinal)])),
        ];
    }

    public async Task<IReadOnlyList<IommuGroupResponse>> ToGroupsAsync(IReadOnlyList<PciDevice> devices, Caller caller, CancellationToken ct)
    {
        var owners = await ReadAsync(devices, ct);
        return
        [
            .. from device in devices
               where device.Facts.IommuGroup is not null && device.Present
               group device by device.Facts.IommuGroup!.Value into members
               orderby members.Key
               let reasons = IommuGroupReasons.Of([.. members])
               let owned = members.FirstOrDefault(d => d.Ownership.Owner is { Companion: false }) ?? members.FirstOrDefault(d => d.Ownership.Owner is not null)
               select new IommuGroupResponse(
                   members.Key, [.. members.Select(d => d.Address).Order().Select(a => a.ToString())], reasons.Count == 0, reasons,
                   owned is null ? null : Owner(owned, owners, caller)),
        ];
    }

    private async Task<IReadOnlyDictionary<VmId, VirtualMachine>> ReadAsync(IReadOnlyList<PciDevice> devices, CancellationToken ct)
    {
        var ids = devices.Select(d => d.Ownership.Owner?.Vm).OfType<VmId>().Distinct().ToList();
        return ids.Count == 0
            ? new Dictionary<VmId, VirtualMachine>()
            : (await vms.ByIdsAsync(ids, ct)).ToDictionary(v => v.Id);
    }

    private DeviceOwnerResponse? Owner(PciDevice device, IReadOnlyDictionary<VmId, VirtualMachine> owners, Caller caller)
    {
        if (device.Ownership.Owner is not { } owner)
            return null;
        // A VM that was deleted between the two reads leaves its id.
        var vm = owners.GetValueOrDefault(owner.Vm);
        return caller.MaySee(vm?.Project)
            ? new DeviceOwnerResponse(owner.Vm.ToString(), vm?.Name, vm is null ? null : fleet.FindProject(vm.Project)?.Name, owner.Name, owner.Companion)
            : new DeviceOwnerResponse(null, null, null, null, owner.Companion);
    }
}

/// <summary>Why an IOMMU group cannot be given to a guest. It goes whole or not at all, so one member that may not go holds all back.</summary>
internal static class IommuGroupReasons
{
    public static IReadOnlyList<string> Of(IReadOnlyList<PciDevice> members)
    {
        var endpoints = members.Where(m => !m.Facts.IsBridge).OrderBy(m => m.Address).ToList();
        return endpoints.Count == 0 ? ["It holds bridges only."] : [.. endpoints.Select(Reason).OfType<string>()];
    }

    private static string? Reason(PciDevice device) =>
        device.HostCritical ? $"The host cannot run without {device.Address}."
        : !device.Assignable || device.Ownership.State == Domain.Pci.DeviceState.Host ? $"{device.Address} is the host's own."
        : device.Ownership.State == Domain.Pci.DeviceState.Quarantined ? $"{device.Address} is quarantined: {device.Ownership.QuarantineReason}."
        : device.Facts.Reset.Count == 0 ? $"{device.Address} has no reset, so it can never be proven clean."
        : null;
}
