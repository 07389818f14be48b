using System.Globalization;
using System.Text;
using System.Text.Json;
using ControlPlane.Contracts;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Records;
using Microsoft.AspNetCore.Http;

namespace ControlPlane.Api.Events;

/// <summary>Where a stream begins, and what it is tied to.</summary>
/// <param name="After">The sequence of the last event that the reader has.</param>
/// <param name="MissedSome">Events after that one are no longer kept.</param>
/// <param name="Holds">Whether the reader's token is still good.</param>
/// <param name="Closed">Called once, when the stream ends.</param>
/// <param name="Stopping">The server goes down.</param>
internal sealed record EventStreamStart(
    long After, bool MissedSome, Func<ValueTask<bool>> Holds, Action Closed, CancellationToken Stopping);

/// <summary>
/// Server-sent events (WHATWG HTML section 9.2): each is a CloudEvent, its <c>id</c> the place to resume from. A slow reader holds no more
/// than one batch in memory: the next one is read when the last one is on the wire.
/// </summary>
internal sealed class EventStream(
    EventStore store, EventMapping mapping, EventSignal signal, EventFilter filter, EventStreamStart start, TimeProvider clock)
    : IResult
{
    public const string MediaType = "text/event-stream";
    private const int BatchMax = 200;

    /// <summary>Proxies cut connections that are silent for longer; the token is looked at again as often.</summary>
    private static readonly TimeSpan Heartbeat = TimeSpan.FromSeconds(15);

    private long after = start.After;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(httpContext.RequestAborted, start.Stopping);
        var response = httpContext.Response;
        response.ContentType = MediaType;
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        try
        {
            await response.WriteAsync(start.MissedSome ? "event: events-missed\ndata: {}\n\n" : ": open\n\n", linked.Token);
            await response.Body.FlushAsync(linked.Token);
            await PumpAsync(response, linked.Token);
        }
        catch (OperationCanceledException) when (linked.IsCancellationRequested)
        {
            // The reader has gone, or the server goes: it resumes by the last id.
        }
        finally
        {
            start.Closed();
        }
    }

    private async Task PumpAsync(HttpResponse response, CancellationToken ct)
    {
        var quietSince = clock.GetTimestamp();
        while (true)
        {
            var news = signal.Next;
            var batch = await store.ReadAfterAsync(after, filter, BatchMax, ct);
            foreach (var e in batch)
                await response.WriteAsync(Write(e), ct);
            if (batch.Count > 0)
            {
                after = batch[^1].Sequence;
                quietSince = clock.GetTimestamp();
            }
            else if (clock.GetElapsedTime(quietSince) >= Heartbeat)
            {
                if (!await start.Holds())
                    return;
                await response.WriteAsync(": heartbeat\n\n", ct);
                quietSince = clock.GetTimestamp();
            }
            await response.Body.FlushAsync(ct);
            if (batch.Count < BatchMax)
                await WaitAsync(news, Heartbeat - clock.GetElapsedTime(quietSince), ct);
        }
    }

    /// <summary>
    /// Until there is news, or a heartbeat is due. Nothing is looked for in between: this server's commits and those of others announce
    /// their events, and whoever hears others says when it may have missed something.
    /// </summary>
    private async Task WaitAsync(Task news, TimeSpan most, CancellationToken ct)
    {
        if (most <= TimeSpan.Zero)
            return;
        try
        {
            await news.WaitAsync(most, clock, ct);
        }
        catch (TimeoutException)
        {
            // The heartbeat is due.
        }
    }

    private string Write(EventRecord e)
    {
        var data = JsonSerializer.Serialize(mapping.ToResponse(e), ContractsJson.Wire.EventResponse);
        return new StringBuilder().Append(CultureInfo.InvariantCulture, $"id: {e.Sequence}\nevent: {e.Type}\ndata: ").Append(data).Append("\n\n").ToString();
    }
}
