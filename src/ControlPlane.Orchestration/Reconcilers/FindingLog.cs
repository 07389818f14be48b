using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using ControlPlane.Domain;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Schema;
using ControlPlane.Persistence.Writing;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Tells of findings (an event <c>audit.finding</c>, a counter, a line in the log), and remembers those that could not be repaired, so
/// that they are neither tried nor told again at every run. The memory is this server's own: another one, or the next, looks afresh.
/// </summary>
internal sealed partial class FindingLog(
    EventStore events, BatchingWriter writer, ReconcilerMetrics metrics, ReconcilerOptions options, TimeProvider clock, ILogger<FindingLog> log)
{
    private readonly ConcurrentDictionary<Key, Sighting> sightings = new();

    /// <summary>False while the last try at it is too fresh.</summary>
    public bool IsDue(FindingKind kind, HostId? host, string subject) =>
        !sightings.TryGetValue(new Key(kind, host, subject), out var seen) || seen.DueAt <= clock.GetUtcNow();

    /// <summary>For what has no record that says how old it is: true once it has been seen for as long as the grace.</summary>
    public bool IsRipe(FindingKind kind, HostId? host, string subject)
    {
        var now = clock.GetUtcNow();
        var seen = sightings.GetOrAdd(new Key(kind, host, subject), _ => new Sighting(now, now + options.AuditGrace, 0));
        return seen.DueAt <= now;
    }

    /// <summary>Tells of the finding in the commit that repairs it.</summary>
    public void Add(WriteUnit unit, AuditFinding finding)
    {
        var now = clock.GetUtcNow();
        events.Append(unit, new NewEvent(
            "audit.finding", finding.Host is { } host ? $"/api/v1/hosts/{host}" : "/api/v1/audit", finding.Subject, null,
            new JsonObject
            {
                ["kind"] = KebabEnum<FindingKind>.Write(finding.Kind),
                ["host"] = finding.Host?.ToString(),
                ["detail"] = finding.Detail,
                ["outcome"] = finding.Outcome,
                ["repaired"] = finding.Repaired,
            }.ToJsonString(), now));
        unit.OnCommitted(() => Told(finding, now));
    }

    /// <summary>Tells of findings that come with no change of the database.</summary>
    public async Task TellAsync(IReadOnlyCollection<AuditFinding> findings, CancellationToken ct)
    {
        if (findings.Count == 0)
            return;
        var unit = new WriteUnit();
        foreach (var finding in findings)
            Add(unit, finding);
        await writer.CommitAsync(unit, ct);
    }

    /// <summary>Forgets what has not been seen for long.</summary>
    public void Sweep()
    {
        var before = clock.GetUtcNow() - (2 * options.RetryRepairMax);
        foreach (var (key, seen) in sightings)
            if (seen.DueAt < before)
                sightings.TryRemove(key, out _);
    }

    private void Told(AuditFinding finding, DateTimeOffset now)
    {
        metrics.Found(finding);
        LogFinding(log, finding.Repaired ? LogLevel.Information : LogLevel.Warning, finding.Kind, finding.Host, finding.Subject, finding.Detail, finding.Outcome);
        var key = new Key(finding.Kind, finding.Host, finding.Subject);
        if (finding.Repaired)
            sightings.TryRemove(key, out _);
        else
            sightings.AddOrUpdate(key, _ => new Sighting(now, now + options.RetryRepair, 1), (_, s) => s with { DueAt = now + Delay(s.Tries), Tries = s.Tries + 1 });
    }

    private TimeSpan Delay(int tries)
    {
        var delay = options.RetryRepair * Math.Pow(2, Math.Min(tries, 20));
        return delay < options.RetryRepairMax ? delay : options.RetryRepairMax;
    }

    private readonly record struct Key(FindingKind Kind, HostId? Host, string Subject);

    /// <param name="DueAt">Not looked at before.</param>
    private sealed record Sighting(DateTimeOffset FirstAt, DateTimeOffset DueAt, int Tries);

    [LoggerMessage(EventId = 1, Message = "{Kind} on host {Host}, {Subject}: {Detail} {Outcome}")]
    private static partial void LogFinding(ILogger log, LogLevel level, FindingKind kind, HostId? host, string subject, string detail, string outcome);
}
