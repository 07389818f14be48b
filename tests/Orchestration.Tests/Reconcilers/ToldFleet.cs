using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Hypervisor;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>
/// A fleet whose hosts do as they do, and whose streams of events are the test's: it tells what is heard, ends and breaks them, and sees
/// who listens.
/// </summary>
public sealed class ToldFleet(IHypervisorFleet inner) : IHypervisorFleet
{
    private readonly ConcurrentDictionary<HostId, Channel<HypervisorEvent>> streams = new();
    private readonly Channel<HostId> opened = Channel.CreateUnbounded<HostId>();

    public async ValueTask<Outcome<IHypervisor>> OpenAsync(Host host, CancellationToken ct) =>
        (await inner.OpenAsync(host, ct)).Map(h => ToldHypervisor.Of(h, token => WatchAsync(host.Id, token)));

    public IEnumerable<UnreadableLabel> CheckGuestLabels(IReadOnlyDictionary<string, string> labels) => inner.CheckGuestLabels(labels);

    public ValueTask CloseAsync(HostId host, bool forget, CancellationToken ct) => inner.CloseAsync(host, forget, ct);

    public void Tell(HostId host, HypervisorEvent happened) => Assert.True(streams[host].Writer.TryWrite(happened));

    /// <summary>The stream ends, as it does when a host is lost.</summary>
    public void End(HostId host) => Assert.True(streams[host].Writer.TryComplete());

    /// <summary>The stream throws at whoever reads it.</summary>
    public void Break(HostId host) => Assert.True(streams[host].Writer.TryComplete(new InvalidOperationException("The connection is broken.")));

    public bool IsWatched(HostId host) => streams.ContainsKey(host);

    /// <summary>Waits until a stream has been opened that no call before has waited for.</summary>
    public Task<HostId> OpenedAsync() => opened.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30));

    private async IAsyncEnumerable<HypervisorEvent> WatchAsync(HostId host, [EnumeratorCancellation] CancellationToken ct)
    {
        var channel = Channel.CreateUnbounded<HypervisorEvent>();
        Assert.True(streams.TryAdd(host, channel), "A host is watched once.");
        opened.Writer.TryWrite(host);
        try
        {
            await foreach (var happened in channel.Reader.ReadAllAsync(ct))
                yield return happened;
        }
        finally
        {
            streams.TryRemove(host, out _);
        }
    }

    /// <summary>A hypervisor that passes everything on but the watching.</summary>
    public class ToldHypervisor : DispatchProxy
    {
        private IHypervisor inner = null!;
        private Func<CancellationToken, IAsyncEnumerable<HypervisorEvent>> watch = null!;

        public static IHypervisor Of(IHypervisor inner, Func<CancellationToken, IAsyncEnumerable<HypervisorEvent>> watch)
        {
            var told = Create<IHypervisor, ToldHypervisor>();
            ((ToldHypervisor)(object)told).inner = inner;
            ((ToldHypervisor)(object)told).watch = watch;
            return told;
        }

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) => targetMethod!.Name == nameof(IHypervisor.WatchAsync)
            ? watch((CancellationToken)args![0]!)
            : targetMethod.Invoke(inner, args);
    }
}
