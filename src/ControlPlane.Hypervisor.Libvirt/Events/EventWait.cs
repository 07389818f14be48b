using System.Threading.Channels;
using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.Connections;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Events;

/// <summary>
/// Waits for something that a host tells, within one deadline. Events say at once; because one may be lost, the state is also looked at now and
/// then, and once more when the time is over.
/// </summary>
internal sealed class EventWait(LibvirtHost host, TimeSpan pollInterval) : IDisposable
{
    private readonly Channel<VirEvent> events = host.Listen();

    /// <param name="heard">An answer that an event gives; null: it says nothing about this.</param>
    /// <param name="look">An answer that the state gives; null: not yet.</param>
    /// <param name="late">The answer when the deadline has passed.</param>
    public async Task<Outcome<T>> ForAsync<T>(
        DateTimeOffset deadline, Func<VirEvent, T?> heard, Func<CancellationToken, Task<Outcome<T?>>> look, T late, CancellationToken ct) where T : struct
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
            if (await HearAsync(heard, left < pollInterval ? left : pollInterval, ct) is { } told)
                return told;
        }
    }

    public void Dispose() => host.Leave(events);

    /// <summary>An event's answer, or null after a pause.</summary>
    private async Task<T?> HearAsync<T>(Func<VirEvent, T?> heard, TimeSpan pause, CancellationToken ct) where T : struct
    {
        using var over = new CancellationTokenSource(pause, host.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, ct);
        try
        {
            while (await events.Reader.WaitToReadAsync(either.Token))
            {
                while (events.Reader.TryRead(out var happened))
                {
                    if (heard(happened) is { } answer)
                        return answer;
                }
            }
            // The connection is lost: the next look says so, after the pause.
            await Task.Delay(pause, host.Time, ct);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            // The pause is over.
        }
        return null;
    }
}
