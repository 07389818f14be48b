using ControlPlane.Benchmarks.Running;

namespace ControlPlane.Benchmarks.Memory;

/// <summary>Two emulated hosts with SR-IOV NICs, and a VM whose interface is a virtual function with a standby: the longest way of a migration.</summary>
internal static class EmulatedFleet
{
    public const string VmName = "emulated";

    public static async Task RegisterAsync(Operations api, CancellationToken ct)
    {
        foreach (var name in new[] { "hv-a", "hv-b" })
            await api.PostAsync("hosts?wait=60", new { name, backend = new { kind = "emulated", profile = "dual-82576" } }, ct);
        await api.SendAsync(HttpMethod.Post, "device-pools", new
        {
            name = "fast-net", kind = "virtual-function", match = new[] { new { vendorId = "8086", deviceId = "10ca" } }, physicalNetwork = "fabric-a",
        }, ct);
        await api.SendAsync(HttpMethod.Post, "networks", new { name = "prod", physicalNetwork = "fabric-a", vlan = 100 }, ct);
        await api.PostAsync("vms?wait=60", new
        {
            name = VmName, vcpus = 1, memoryMiB = 64, image = "tiny", interfaces = new[] { new { name = "net0", network = "prod", attach = "failover" } },
        }, ct);
    }
}
