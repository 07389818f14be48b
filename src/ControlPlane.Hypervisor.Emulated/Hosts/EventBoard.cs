using System.Threading.Channels;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>Tells a host's watchers what happens on it.</summary>
internal sealed class EventBoard
{
    /// <summary>A watcher that is so far behind has missed something: its stream ends, and it looks at the host anew.</summary>
    private const int MaxBehind = 16384;

    private readonly List<Channel<HypervisorEvent>> watchers = [];

    public Channel<HypervisorEvent> Watch()
    {
        var channel = Channel.CreateBounded<HypervisorEvent>(new BoundedChannelOptions(MaxBehind) { SingleReader = true });
        watchers.Add(channel);
        return channel;
    }

    public void Leave(Channel<HypervisorEvent> channel)
    {
        watchers.Remove(channel);
        channel.Writer.TryComplete();
    }

    public void Tell(HypervisorEvent happened)
    {
        foreach (var watcher in watchers.ToArray())
        {
            if (!watcher.Writer.TryWrite(happened))
                Leave(watcher);
        }
    }

    /// <summary>The host is lost: so are its streams.</summary>
    public void End()
    {
        foreach (var watcher in watchers)
            watcher.Writer.TryComplete();
        watchers.Clear();
    }
}
