using ControlPlane.Api.PciDevices;
using ControlPlane.Contracts;
using ControlPlane.Domain.Pci;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.DevicePools;
using ControlPlane.Persistence.Pci;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.DevicePools;

/// <summary>Pools on the wire, with what they have to give.</summary>
internal sealed class DevicePoolMapping(DeviceStore devices, FleetDirectory fleet)
{
    public async Task<IReadOnlyList<DevicePoolResponse>> ToResponsesAsync(IReadOnlyList<DevicePool> pools, CancellationToken ct)
    {
        var responses = new List<DevicePoolResponse>(pools.Count);
        foreach (var pool in pools)
            responses.Add(ToResponse(pool, await devices.CountByHostAsync(pool, ct)));
        return responses;
    }

    public static PoolDraft ToDraft(DevicePoolRequest request) => new(
        request.Name, (Domain.Pci.PoolKind)request.Kind,
        [.. request.Match.Select(m => new PoolMatchDraft(m.VendorId, m.DeviceId, m.ClassCode, m.Host, m.Address, m.PhysicalFunction))],
        request.PhysicalNetwork);

    private DevicePoolResponse ToResponse(DevicePool pool, IReadOnlyList<PoolCount> counts) => new(
        pool.Id.ToString(), pool.Name, (Wire.PoolKind)pool.Kind, [.. pool.Match.Select(ToResponse)], pool.PhysicalNetwork,
        counts.Sum(c => c.Total), counts.Sum(c => c.Free),
        [
            .. counts.Select(c => new PoolHostResponse(fleet.FindHost(c.Host)?.Name ?? c.Host.ToString(), c.Total, c.Free))
                .OrderBy(c => c.Host, StringComparer.Ordinal),
        ],
        pool.Generation.Value, pool.CreatedAt, pool.UpdatedAt);

    private Wire.PoolMatch ToResponse(Domain.Pci.PoolMatch match) => new(
        match.VendorId is { } vendor ? PciDeviceMapping.Hex(vendor) : null, match.DeviceId is { } device ? PciDeviceMapping.Hex(device) : null,
        match.ClassCode, match.Host is { } host ? fleet.FindHost(host)?.Name ?? host.ToString() : null, match.Address?.ToString(),
        match.PhysicalFunction?.ToString());
}
