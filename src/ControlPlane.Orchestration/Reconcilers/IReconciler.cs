namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Work that brings what is recorded and what is true together again. It takes no input, may be repeated at any time, and does no harm
/// when several servers do it at once: every change of a row is a compare-and-set, every action on a host is fenced.
/// </summary>
public interface IReconciler
{
    /// <summary>Kebab-case: the name of its tick, of its log lines and of its counters.</summary>
    string Name { get; }

    /// <summary>How long after the end of one run the next one begins.</summary>
    TimeSpan Every { get; }

    /// <summary>
    /// True when it keeps this server's own memory or connections: each server ticks it for itself. False: one server at a time is enough.
    /// </summary>
    bool OnEveryServer { get; }

    Task<ReconcileReport> RunAsync(CancellationToken ct);
}

/// <summary>What one run did.</summary>
/// <param name="Examined">Hosts, VMs or rows that were looked at.</param>
/// <param name="Changed">How many of them had to be changed.</param>
public readonly record struct ReconcileReport(int Examined, int Changed);
