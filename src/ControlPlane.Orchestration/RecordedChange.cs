using System.Text.Json;
using System.Text.Json.Nodes;
using ControlPlane.Domain;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration;

/// <summary>What a change that is recorded at once tells the world.</summary>
/// <param name="Noun">Kebab-case; with <paramref name="What"/> the event's type: <c>network.created</c>.</param>
/// <param name="Collection">The part of the path under which the thing is found.</param>
public sealed record RecordedEvent(string Noun, string What, string Collection, Guid Id, string Name, ProjectId? Project)
{
    public static RecordedEvent Of(string noun, string what, string collection, Guid id, string name, ProjectId? project = null) =>
        new(noun, what, collection, id, name, project);

    public NewEvent ToEvent(DateTimeOffset at) => new(
        $"{Noun}.{What}", $"/api/v1/{Collection}/{Id}", Id.ToString(), Project, new JsonObject { ["name"] = Name }.ToJsonString(JsonSerializerOptions.Web), at);
}

/// <summary>
/// Commits a change that touches no host: the rows, its event, and what the request wants committed with them (audit, idempotency),
/// all or nothing.
/// </summary>
public sealed class RecordedChange(BatchingWriter writer, EventStore events, MutationContext context, TimeProvider clock)
{
    private const int Tries = 5;

    public Task<Outcome<Done>> CommitAsync(Action<WriteUnit> rows, RecordedEvent told, CancellationToken ct)
    {
        var unit = new WriteUnit();
        rows(unit);
        events.Append(unit, told.ToEvent(clock.GetUtcNow()));
        context.Attach(unit);
        return writer.CommitAsync(unit, ct);
    }

    /// <param name="made">What the caller asked for: the answer that shows it is kept in the same commit.</param>
    public async Task<Outcome<T>> CommitAsync<T>(T made, Action<WriteUnit> rows, RecordedEvent told, CancellationToken ct)
        where T : class
    {
        var unit = new WriteUnit();
        rows(unit);
        events.Append(unit, told.ToEvent(clock.GetUtcNow()));
        await context.AttachAsync(unit, made);
        var committed = await writer.CommitAsync(unit, ct);
        return committed.Fault is { } fault ? fault : made;
    }

    /// <summary>
    /// Decides again when another request was faster. With If-Match the caller wants to know instead; then the first refusal is the answer.
    /// </summary>
    public async Task<Outcome<T>> RetryAsync<T>(Generation? expected, Func<Task<Outcome<T>>> attempt)
    {
        var outcome = await attempt();
        for (var again = 1; again < Tries && expected is null && outcome.Fault?.Code == WriteFaults.ChangedMeanwhileCode; again++)
            outcome = await attempt();
        return outcome.Fault?.Code == WriteFaults.ChangedMeanwhileCode && expected is not null
            ? new Fault(FaultKind.Stale, "stale", "It was changed by another request after If-Match was read.")
            : outcome;
    }

    public static Fault? Stale(Generation? expected, Generation present) => expected is null || expected == present
        ? null
        : new Fault(FaultKind.Stale, "stale", $"If-Match names generation {expected}; the present one is {present}.");
}
