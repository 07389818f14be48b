using System.Globalization;
using ControlPlane.Api.Access;
using ControlPlane.Domain;
using ControlPlane.Orchestration.Tokens;
using ControlPlane.Persistence.Events;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Primitives;

namespace ControlPlane.Api.Events;

/// <summary>Opens event streams, as many as the server bears.</summary>
internal sealed class EventStreams(
    EventStore store, EventMapping mapping, TokenDirectory tokens, EventSignal signal, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    private const int OpenMax = 1000;
    private int open;

    public async Task<Outcome<EventStream>> OpenAsync(StringValues lastEventId, EventFilter filter, Caller caller, CancellationToken ct)
    {
        long after;
        if (lastEventId.Count == 0)
            after = await store.LatestSequenceAsync(ct);
        else if (!long.TryParse(lastEventId.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out after))
            return Fault.Field(FaultKind.Malformed, "Last-Event-ID", "must be the id of an event.");
        if (Interlocked.Increment(ref open) > OpenMax)
        {
            Interlocked.Decrement(ref open);
            return Fault.Limit("too-many-streams", $"{OpenMax} event streams are open; close one, or read the list.");
        }
        // Below the oldest event that is kept, some are lost for this reader, and it is told so.
        var missed = lastEventId.Count > 0 && after + 1 < await store.EarliestSequenceAsync(ct);
        return new EventStream(
            store, mapping, signal, filter,
            new EventStreamStart(
                after, missed, () => tokens.HoldsAsync(caller.Token, ct), () => Interlocked.Decrement(ref open), lifetime.ApplicationStopping),
            clock);
    }
}
