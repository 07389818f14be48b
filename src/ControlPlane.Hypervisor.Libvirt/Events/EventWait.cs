using System.Threading.Channels;
using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Connections;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Events;

/// <summary>
/// Waits for something that a host tells, within one deadline. An event is not believed but makes us look: at once, and once more when the
/// time is over.
/// </summary>
internal sealed class EventWait(LibvirtHost host, TimeSpan pollInterval) : IDisposable
{
    /// <summary>An event that never came must not cost the whole deadline.</summary>
    private static readonly TimeSpan UntoldInterval = TimeSpan.FromSeconds(5);

    private Channel<VirEvent> events = host.Listen();

    /// <param name="concerns">Whether an event can have brought the answer about.</param>
    /// <param name="look">An answer that the state gives; null: not yet.</param>
    /// <param name="late">The answer when the deadline has passed.</param>
    public async Task<Outcome<T>> ForAsync<T>(
        DateTimeOffset deadline, Func<VirEvent, bool> concerns, Func<CancellationToken, Task<Outcome<T?>>> look, T late, CancellationToken ct) where T : struct
    {
        while (true)
        {
            if (!(await look(ct)).TryGet(out var seen, out var fault) && fault is not null)
                return fault;
            if (seen is { } answer)
                return answer;
            var left = deadline - host.Time.GetUtcNow();
            if (left <= TimeSpan.Zero)
                return late;
            await HearAsync(concerns, left, ct);
        }
    }

    public void Dispose() => host.Leave(events);

    /// <summary>Until an event that concerns us, or one that says that events were lost; at most for a pause.</summary>
    private async Task HearAsync(Func<VirEvent, bool> concerns, TimeSpan left, CancellationToken ct)
    {
        using var over = new CancellationTokenSource(Shorter(left, UntoldInterval), host.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, ct);
        try
        {
            while (await events.Reader.WaitToReadAsync(either.Token))
            {
                while (events.Reader.TryRead(out var happened))
                {
                    if (happened is VirEventsLostEvent || concerns(happened))
                        return;
                }
            }
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            return;
        }
        // The connection is lost. The next look says so, or finds it open again; nobody tells when it is.
        await Task.Delay(Shorter(left, pollInterval), host.Time, ct);
        host.Leave(events);
        events = host.Listen();
    }

    private static TimeSpan Shorter(TimeSpan one, TimeSpan other) => one < other ? one : other;
}
