using ControlPlane.Lab.Hosts;

namespace ControlPlane.Benchmarks.Running;

/// <summary>Real guests on the lab's hosts, through the API; each call answers when the work is done.</summary>
internal static class LabFleet
{
    public static Task RegisterAsync(Operations api, LabHost host, CancellationToken ct) => api.PostAsync("hosts?wait=60", new
    {
        name = host.Name,
        backend = new { kind = "libvirt", uri = host.TcpUri },
        // Hosts know each other by name, this machine knows them by address. TCG: machines that build offer a KVM that often does not work.
        labels = new Dictionary<string, string> { ["libvirt-peer-uri"] = host.PeerTcpUri, ["libvirt-domain-type"] = "qemu" },
    }, ct);

    public static Task CreateVmAsync(Operations api, string name, CancellationToken ct) =>
        api.PostAsync("vms?wait=60", new { name, vcpus = 1, memoryMiB = 192, image = "tiny" }, ct);

    /// <summary>From definition to deletion; the guest is not asked to power off, as it may not have booted.</summary>
    public static async Task LiveAsync(Operations api, string name, CancellationToken ct)
    {
        await CreateVmAsync(api, name, ct);
        await api.PostAsync($"vms/{name}/stop?wait=60", new { force = true }, ct);
        await api.DeleteAsync($"vms/{name}?wait=60", ct);
    }

    public static Task MoveAsync(Operations api, string name, CancellationToken ct) => api.PostAsync($"vms/{name}/migrate?wait=60", new { }, ct);
}
