using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Emulated;
using ControlPlane.Hypervisor.Libvirt;

namespace ControlPlane.Server.Hypervisors;

/// <summary>Each host's hypervisor from the backend that its record names.</summary>
internal sealed class BackendFleet(EmulatedFleet emulated, LibvirtFleet libvirt) : IHypervisorFleet
{
    public ValueTask<Outcome<IHypervisor>> OpenAsync(Domain.Hosts.Host host, CancellationToken ct) =>
        host.Backend.Kind == BackendKind.Libvirt ? libvirt.OpenAsync(host, ct) : emulated.OpenAsync(host, ct);

    /// <summary>A VM may come to run on either.</summary>
    public IEnumerable<UnreadableLabel> CheckGuestLabels(IReadOnlyDictionary<string, string> labels) =>
        emulated.CheckGuestLabels(labels).Concat(libvirt.CheckGuestLabels(labels));

    /// <summary>A host that one backend does not know is closed there already.</summary>
    public async ValueTask CloseAsync(HostId host, bool forget, CancellationToken ct)
    {
        await emulated.CloseAsync(host, forget, ct);
        await libvirt.CloseAsync(host, forget, ct);
    }
}
