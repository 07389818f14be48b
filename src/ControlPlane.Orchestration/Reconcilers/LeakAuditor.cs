using System.Collections.Concurrent;
using ControlPlane.Domain.Hosts;
using ControlPlane.Persistence.Hosts;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Goes round all hosts that answer, and compares what the database, the hypervisors and the hosts' devices say. Finds what leaked, and
/// mends it where that is safe: never what an operation holds, never by an old generation, never the last living copy of a guest.
/// </summary>
internal sealed partial class LeakAuditor(HostStore hosts, HostAudit audit, FindingLog log, ReconcilerOptions options, ILogger<LeakAuditor> logger) : IReconciler
{
    public string Name => "leak-audit";

    public TimeSpan Every => options.AuditEvery;

    public bool OnEveryServer => false;

    public async Task<ReconcileReport> RunAsync(CancellationToken ct)
    {
        var (examined, findings) = await AuditAsync(ct);
        return new ReconcileReport(examined, findings.Count(f => f.Repaired));
    }

    /// <summary>One round, with all that it found.</summary>
    public async Task<(int Hosts, IReadOnlyCollection<AuditFinding> Findings)> AuditAsync(CancellationToken ct)
    {
        var answering = (await hosts.AllAsync(ct)).Where(h => h.State is HostState.Up or HostState.Draining or HostState.Maintenance).ToList();
        // All are looked at before one is judged: a guest that is off on this host may have been found on that one.
        var looks = new ConcurrentBag<(Host Host, HostLook Look)>();
        await EachAsync(answering, h => h, async (host, stop) =>
        {
            if (await audit.LookAsync(host, stop) is { } look)
                looks.Add((host, look));
        }, ct);
        var findings = new ConcurrentBag<AuditFinding>();
        await EachAsync(looks, l => l.Host, async (looked, stop) =>
        {
            foreach (var finding in await audit.JudgeAsync(looked.Host, looked.Look, stop))
                findings.Add(finding);
        }, ct);
        log.Sweep();
        return (answering.Count, findings);
    }

    private Task EachAsync<T>(IReadOnlyCollection<T> all, Func<T, Host> hostOf, Func<T, CancellationToken, Task> act, CancellationToken ct) =>
        Parallel.ForEachAsync(all, new ParallelOptions { MaxDegreeOfParallelism = options.HostsAtOnce, CancellationToken = ct }, async (one, stop) =>
        {
            try
            {
                await act(one, stop);
            }
            catch (Exception bug) when (bug is not OperationCanceledException)
            {
                // One host's oddity must not keep the others from being looked at.
                LogFailed(logger, bug, hostOf(one).Name);
            }
        });

    [LoggerMessage(1, LogLevel.Error, "The audit of host {Host} failed")]
    private static partial void LogFailed(ILogger logger, Exception bug, string host);
}
