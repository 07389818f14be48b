using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ControlPlane.Hypervisor.Libvirt.Connections;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Events;

/// <summary>What a host tells by itself, for the port's <see cref="IHypervisor.WatchAsync"/>, together with what the backend itself finds out.</summary>
internal sealed class EventStream(LibvirtHost host)
{
    private readonly Lock gate = new();
    private readonly HashSet<Channel<HypervisorEvent>> watchers = [];

    /// <summary>Tells every watcher something that libvirt has no event for.</summary>
    public void Tell(HypervisorEvent happened)
    {
        lock (gate)
        {
            foreach (var watcher in watchers)
                watcher.Writer.TryWrite(happened);
        }
    }

    public async IAsyncEnumerable<HypervisorEvent> WatchAsync([EnumeratorCancellation] CancellationToken ct)
    {
        // Asked for before the first element is wanted: nothing that happens from now on is missed.
        if ((await host.ConnectAsync(ct)).Fault is not null)
            yield break;
        var told = host.Listen();
        var all = Channel.CreateUnbounded<HypervisorEvent>();
        lock (gate)
            watchers.Add(all);
        var pumping = PumpAsync(told.Reader, all.Writer);
        try
        {
            await foreach (var happened in all.Reader.ReadAllAsync(ct))
                yield return happened;
        }
        finally
        {
            lock (gate)
                watchers.Remove(all);
            host.Leave(told);
            await pumping;
        }
    }

    private async Task PumpAsync(ChannelReader<VirEvent> from, ChannelWriter<HypervisorEvent> to)
    {
        await foreach (var happened in from.ReadAllAsync())
        {
            if (EventTranslation.Translate(happened, host.Time.GetUtcNow()) is { } translated)
                to.TryWrite(translated);
        }
        to.TryComplete();
    }
}
