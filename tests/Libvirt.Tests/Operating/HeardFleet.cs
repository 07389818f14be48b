using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.Tests.Reconcilers;

namespace ControlPlane.Libvirt.Tests.Operating;

/// <summary>A fleet that says when somebody listens to a host: what happens from then on is told.</summary>
internal sealed class HeardFleet(IHypervisorFleet inner) : IHypervisorFleet
{
    private readonly ConcurrentDictionary<HostId, TaskCompletionSource> listened = new();

    /// <summary>Completes when somebody listens to the host.</summary>
    public Task ListenedTo(HostId host) => ListenersOf(host).Task;

    public async ValueTask<Outcome<IHypervisor>> OpenAsync(Host host, CancellationToken ct) =>
        (await inner.OpenAsync(host, ct)).Map(h => ToldFleet.ToldHypervisor.Of(h, token => ListenAsync(h, token)));

    public IEnumerable<UnreadableLabel> CheckGuestLabels(IReadOnlyDictionary<string, string> labels) => inner.CheckGuestLabels(labels);

    public ValueTask CloseAsync(HostId host, bool forget, CancellationToken ct) => inner.CloseAsync(host, forget, ct);

    private async IAsyncEnumerable<HypervisorEvent> ListenAsync(IHypervisor host, [EnumeratorCancellation] CancellationToken ct)
    {
        await using var events = host.WatchAsync(ct).GetAsyncEnumerator(ct);
        var next = events.MoveNextAsync();
        ListenersOf(host.Host).TrySetResult();
        while (await next)
        {
            yield return events.Current;
            next = events.MoveNextAsync();
        }
    }

    private TaskCompletionSource ListenersOf(HostId host) =>
        listened.GetOrAdd(host, static _ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
}
