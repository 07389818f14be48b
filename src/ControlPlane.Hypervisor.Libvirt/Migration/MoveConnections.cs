using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.Register;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Migration;

/// <summary>
/// The connections of one move's own. The job's call lasts long, others ask the source meanwhile how far it is, and an old client library may crash when a connection
/// with several calls under way is lost. The target may not be open in this process at all.
/// </summary>
internal sealed class MoveConnections(VirConnect source, VirConnect target) : IDisposable
{
    public VirConnect Source { get; } = source;

    public VirConnect Target { get; } = target;

    /// <summary>Both at the same time: over TLS or SSH each takes several round trips.</summary>
    public static async Task<Outcome<MoveConnections>> OpenAsync(LibvirtHost source, MigrationRoute route, LibvirtOptions patience, CancellationToken ct)
    {
        var here = OpenAsync(source.Settings.Uri, LibvirtFaults.Silent, source.Time, patience, ct);
        var there = OpenTargetAsync(source, route, patience, ct);
        MoveConnections? both = null;
        try
        {
            await Task.WhenAll(here, there);
            if (!(await here).TryGet(out var own, out var fault) || !(await there).TryGet(out var target, out fault))
                return fault;
            return both = new MoveConnections(own, target);
        }
        finally
        {
            if (both is null)
            {
                Abandon(here);
                Abandon(there);
            }
        }
    }

    public static Task<Outcome<VirConnect>> OpenTargetAsync(LibvirtHost source, MigrationRoute route, LibvirtOptions patience, CancellationToken ct) =>
        OpenAsync(route.Uri, "target-unavailable", source.Time, patience, ct);

    /// <summary>Of connections that nobody took over: closes what was opened.</summary>
    public static void Abandon<T>(Task<Outcome<T>> opening)
        where T : IDisposable
    {
        if (opening is { IsCompletedSuccessfully: true, Result: { Succeeded: true } opened })
            opened.Value.Dispose();
    }

    public void Dispose()
    {
        Source.Dispose();
        Target.Dispose();
    }

    private static async Task<Outcome<VirConnect>> OpenAsync(string uri, string otherwise, TimeProvider time, LibvirtOptions patience, CancellationToken ct)
    {
        try
        {
            var connection = await VirConnect.OpenAsync(uri, patience.OpenTimeout, time: time, cancellationToken: ct);
            connection.SetKeepAlive(patience.KeepAliveInterval, patience.KeepAliveCount);
            return connection;
        }
        catch (LibvirtException e)
        {
            return Fault.Unavailable(otherwise, $"{uri} cannot be reached. libvirt: {ConnectionAdvice.Explain(uri, e.Message)}");
        }
    }
}
