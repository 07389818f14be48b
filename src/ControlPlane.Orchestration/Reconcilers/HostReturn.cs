using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Persistence.Hosts;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Takes a host back that answers again: its inventory is read, which brings it up or leaves it in maintenance, what got stuck on its
/// silence goes on, and the auditor looks at what became of its guests and devices meanwhile.
/// </summary>
internal sealed partial class HostReturn(
    HostStore hosts, HostScan scan, StuckOperations stuck, HostAudit audit, ReconcilerMetrics metrics, ILogger<HostReturn> log)
{
    /// <returns>False: it did not go through; the next sign of life tries again.</returns>
    public async Task<bool> RunAsync(Host host, CancellationToken ct)
    {
        var scanned = await scan.RunAsync(host.Id, ct);
        if (scanned.Fault is { } fault)
        {
            LogNotYet(log, host.Name, fault.Detail);
            return false;
        }
        metrics.HostReturned();
        LogReturned(log, host.Name);
        await stuck.ResumeOfAsync(host.Id, ct);
        if (await hosts.FindAsync(host.Id, ct) is { } known)
            await audit.RunAsync(known, ct);
        return true;
    }

    [LoggerMessage(1, LogLevel.Information, "Host {Host} answers again")]
    private static partial void LogReturned(ILogger log, string host);

    [LoggerMessage(2, LogLevel.Information, "Host {Host} answers again, but its inventory could not be recorded yet: {Reason}")]
    private static partial void LogNotYet(ILogger log, string host, string reason);
}
