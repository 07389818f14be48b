using System.Diagnostics.Metrics;
using ControlPlane.Persistence.Schema;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>What the reconcilers count, for <c>/metrics</c>.</summary>
internal sealed class ReconcilerMetrics : IDisposable
{
    public const string MeterName = "ControlPlane";

    private readonly Meter meter = new(MeterName);
    private readonly Counter<long> findings;
    private readonly Counter<long> lost;
    private readonly Counter<long> returned;

    public ReconcilerMetrics()
    {
        findings = meter.CreateCounter<long>("controlplane.audit.findings", description: "Discrepancies that the leak auditor found, by kind and whether they were repaired.");
        lost = meter.CreateCounter<long>("controlplane.hosts.lost", description: "Hosts that stopped answering.");
        returned = meter.CreateCounter<long>("controlplane.hosts.returned", description: "Hosts that answer again.");
    }

    /// <summary>Of this server alone: there are several in one process only in tests, which listen to one.</summary>
    public Meter Meter => meter;

    public void Found(AuditFinding finding) => findings.Add(
        1, new KeyValuePair<string, object?>("kind", KebabEnum<FindingKind>.Write(finding.Kind)), new KeyValuePair<string, object?>("repaired", finding.Repaired ? "true" : "false"));

    public void HostLost() => lost.Add(1);

    public void HostReturned() => returned.Add(1);

    public void Dispose() => meter.Dispose();
}
