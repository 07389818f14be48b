using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.Domains;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt;

/// <summary>Hosts that are driven through their libvirt. Closing one ends the connection and nothing on the host.</summary>
public sealed class LibvirtFleet(LibvirtOptions options, TimeProvider time) : IHypervisorFleet, IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<HostId, LibvirtHypervisor> open = [];

    /// <summary>
    /// The first call for a host waits for its libvirt, at most <see cref="LibvirtOptions.OpenTimeout"/>. A host that does not answer is tried again in the
    /// background with growing pauses; meanwhile each call answers at once why it is unavailable.
    /// </summary>
    public async ValueTask<Outcome<IHypervisor>> OpenAsync(Host host, CancellationToken ct)
    {
        if (!HostSettings.Of(host).TryGet(out var settings, out var wrong))
            return wrong;
        if (!options.AllowsProgramsInUris && LibvirtUri.CheckPrograms(settings.Uri) is { } program)
            return Fault.Impossible("backend-uri", $"Host {host.Name}: {program}");
        LibvirtHypervisor hypervisor;
        LibvirtHypervisor? replaced;
        try
        {
            (hypervisor, replaced) = FindOrOpen(host.Id, settings);
        }
        catch (LibvirtNotFoundException missing)
        {
            return Fault.Impossible("libvirt-not-installed", missing.Message);
        }
        if (replaced is not null)
            await replaced.DisposeAsync();
        return (await hypervisor.Connection.ConnectAsync(ct)).TryGet(out _, out var silent) ? hypervisor : silent;
    }

    public async ValueTask CloseAsync(HostId host, bool forget, CancellationToken ct)
    {
        LibvirtHypervisor? closed;
        lock (gate)
            open.Remove(host, out closed);
        if (closed is not null)
            await closed.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        LibvirtHypervisor[] all;
        lock (gate)
        {
            all = [.. open.Values];
            open.Clear();
        }
        foreach (var hypervisor in all)
            await hypervisor.DisposeAsync();
    }

    public IEnumerable<UnreadableLabel> CheckGuestLabels(IReadOnlyDictionary<string, string> labels)
    {
        if (labels.TryGetValue(DomainCalls.TeamingLabel, out var teaming) && teaming is not ("on" or "off"))
            yield return new UnreadableLabel(DomainCalls.TeamingLabel, $"must be on or off, not '{teaming}'.");
    }

    private (LibvirtHypervisor Present, LibvirtHypervisor? Replaced) FindOrOpen(HostId id, HostSettings settings)
    {
        lock (gate)
        {
            if (open.TryGetValue(id, out var present) && present.Connection.Settings.Uri == settings.Uri)
            {
                present.Connection.Settings = settings;
                return (present, null);
            }
            var opened = open[id] = new LibvirtHypervisor(new LibvirtHost(id, settings, options, time), options);
            return (opened, present);
        }
    }
}
