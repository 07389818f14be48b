namespace LibvirtSharp;

/// <summary>
/// Events of one connection, from <see cref="VirConnect.Subscribe"/> to <see cref="Dispose"/>. libvirt's event thread puts them into a
/// queue; whoever reads them does so on threads of its own, so a slow or failing reader harms neither libvirt nor the process. Read by
/// one reader.
/// </summary>
public sealed class VirEventSubscription : IDisposable
{
    private readonly List<VirEventKinds> registered = [];
    private readonly VirConnect connection;
    private readonly EventQueue queue;
    private readonly bool ownsQueue;
    private int disposed;

    internal VirEventSubscription(VirConnect connection, VirEventKinds kinds, EventQueue queue, bool ownsQueue)
    {
        (this.connection, this.queue, this.ownsQueue) = (connection, queue, ownsQueue);
        connection.Add(this);
        try
        {
            foreach (var kind in Enum.GetValues<VirEventKinds>())
            {
                if (!int.IsPow2((int)kind) || !kinds.HasFlag(kind))
                    continue;
                connection.Events.Add(kind, queue);
                registered.Add(kind);
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>
    /// The events in their order, from the first after subscribing. Ends when the subscription or the connection is disposed, or when the
    /// connection is lost and all events that came before are read (<see cref="VirConnect.Closed"/> says why).
    /// </summary>
    public IAsyncEnumerable<VirEvent> ReadAllAsync(CancellationToken cancellationToken = default) => queue.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Takes the next event if there is one already.</summary>
    public bool TryRead(out VirEvent? next) => queue.Reader.TryRead(out next);

    /// <summary>
    /// Ends the subscription: when it returns, no further event is taken. Events taken before can still be read. libvirt's own
    /// registration is the connection's, and goes with it (<c>virConnectDomainEventDeregisterAny</c>).
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        Complete();
        foreach (var kind in registered)
            connection.Events.Remove(kind, queue);
        connection.Remove(this);
    }

    /// <summary>The connection is lost: nothing will come any more.</summary>
    internal void Complete()
    {
        if (ownsQueue)
            queue.Complete();
    }
}
