namespace LibvirtSharp;

/// <summary>The queues that want one kind of event of one connection. libvirt's thread reads them while subscriptions come and go.</summary>
internal sealed class EventFan
{
    private volatile EventQueue[] queues = [];

    internal void Add(EventQueue queue) => queues = [.. queues, queue];

    internal void Remove(EventQueue queue) => queues = [.. queues.Where(other => other != queue)];

    internal void Write(VirEvent happened)
    {
        foreach (var queue in queues)
            queue.Write(happened);
    }

    internal void Fail(Exception error)
    {
        foreach (var queue in queues)
            queue.Complete(error);
    }
}

/// <summary>
/// What a connection has registered with libvirt: one callback for each kind of event, however many subscriptions want it, because a
/// driver takes the same callback only once. A kind that was wanted once stays registered until the connection closes: amid events,
/// libvirt 9.0 was seen to deliver nothing any more after its last callback had gone and a new one had come.
/// </summary>
internal sealed class EventHub(VirConnect connection)
{
    private readonly Dictionary<VirEventKinds, (EventFan Fan, nint Key, EventRegistration Registration)> registered = [];
    private readonly Lock gate = new();

    /// <param name="kind">One kind.</param>
    internal void Add(VirEventKinds kind, EventQueue queue)
    {
        lock (gate)
        {
            if (registered.TryGetValue(kind, out var found))
            {
                found.Fan.Add(queue);
                return;
            }

            var fan = new EventFan();
            fan.Add(queue);
            var key = CallbackRegistry.Add(fan);
            try
            {
                registered[kind] = (fan, key, EventRegistration.Register(connection, kind, key));
            }
            catch
            {
                CallbackRegistry.Remove(key);
                throw;
            }
        }
    }

    /// <param name="kind">One kind.</param>
    internal void Remove(VirEventKinds kind, EventQueue queue)
    {
        lock (gate)
        {
            if (registered.TryGetValue(kind, out var found))
                found.Fan.Remove(queue);
        }
    }

    /// <summary>Before the connection goes.</summary>
    internal void RemoveAll()
    {
        lock (gate)
        {
            foreach (var (_, key, registration) in registered.Values)
            {
                CallbackRegistry.Remove(key);
                registration.Deregister(connection);
            }

            registered.Clear();
        }
    }
}
