using ControlPlane.Contracts;
using ControlPlane.Domain.Hosts;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Records;
using Model = ControlPlane.Domain.Hosts;
using Wire = ControlPlane.Contracts;

namespace ControlPlane.Api.Hosts;

/// <summary>Hosts on the wire, with what VMs hold of them.</summary>
internal sealed class HostMapping(UsageStore store)
{
    public async Task<HostResponse> ToResponseAsync(Host host, CancellationToken ct) =>
        ToResponse(host, await store.FindAsync(host.Id, ct));

    public async Task<Wire.Page<HostResponse>> ToPageAsync(Persistence.Reading.Page<Host> page, CancellationToken ct)
    {
        var usage = (await store.AllAsync(ct)).ToDictionary(u => u.Host);
        return new Wire.Page<HostResponse>([.. page.Items.Select(h => ToResponse(h, usage.GetValueOrDefault(h.Id)))], page.NextPageToken);
    }

    private static HostResponse ToResponse(Host host, HostUsage? usage) => new(
        host.Id.ToString(), host.Name, new Wire.HostBackend((Wire.BackendKind)host.Backend.Kind, host.Backend.Profile, host.Backend.Uri),
        (Wire.HostState)host.State, host.StateReason, host.Labels, host.Capacity.ToResponse(),
        new HostUsageResponse(usage?.Sold.Vcpus ?? 0, usage?.Sold.MemoryMiB ?? 0), host.Cpu.ToResponse(), host.CpuRatio, host.MemoryRatio,
        host.Cordoned, host.Operation?.ToString(), host.Generation.Value, host.LastSeenAt, host.CreatedAt, host.UpdatedAt);
}

/// <summary>The parts of a host that inventories and profiles have too.</summary>
internal static class HostPartMapping
{
    public static HostCapacityResponse ToResponse(this HostCapacity capacity) => new(
        capacity.Vcpus, capacity.MemoryMiB, capacity.Hugepages2MiB, capacity.Hugepages1GiB,
        [.. capacity.Cells.Select(c => new NumaCellResponse(c.Node, c.Cpus, c.MemoryMiB, c.Hugepages2MiB, c.Hugepages1GiB))]);

    public static CpuModelResponse ToResponse(this CpuModel cpu) => new(cpu.Vendor, cpu.Name, cpu.Features);

    public static Model.HostBackend ToDomain(this Wire.HostBackend backend) =>
        new((Model.BackendKind)backend.Kind, backend.Profile, backend.Uri);
}
