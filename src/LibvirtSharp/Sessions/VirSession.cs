namespace LibvirtSharp;

/// <summary>
/// A connection that comes back: opened in the background, watched by keep-alive messages, and opened again with its events registered
/// anew when the daemon restarts or the network heals. One stream tells everything in order: connected, events, disconnected, connected...
/// Objects (domains, devices) belong to one connection; after a reconnect get them anew.
/// </summary>
public sealed class VirSession : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly VirSessionOptions options;
    private readonly EventQueue queue;
    private readonly Lock gate = new();
    private readonly Task running;
    private TaskCompletionSource<VirConnect> connected = NewSignal();
    private int disposed;

    private VirSession(VirSessionOptions options)
    {
        this.options = options;
        queue = new EventQueue(options.EventCapacity);
        running = RunAsync();
    }

    /// <summary>The connection while there is one, else null.</summary>
    public VirConnect? Connection
    {
        get
        {
            lock (gate)
                return connected.Task.IsCompletedSuccessfully ? connected.Task.Result : null;
        }
    }

    /// <summary>Begins to connect, and goes on until it is disposed.</summary>
    /// <exception cref="LibvirtNotFoundException">The client library is not installed.</exception>
    public static VirSession Start(VirSessionOptions options)
    {
        LibvirtLibrary.Ensure();
        return new VirSession(options);
    }

    /// <summary>The connection, as soon as there is one.</summary>
    /// <exception cref="ObjectDisposedException">The session was disposed.</exception>
    public Task<VirConnect> WaitForConnectionAsync(CancellationToken cancellationToken = default)
    {
        lock (gate)
            return connected.Task.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// All events of all connections, with <see cref="VirConnectedEvent"/> and <see cref="VirDisconnectedEvent"/> between them. Ends when the
    /// session is disposed. For one reader.
    /// </summary>
    public IAsyncEnumerable<VirEvent> ReadAllAsync(CancellationToken cancellationToken = default) => queue.Reader.ReadAllAsync(cancellationToken);

    /// <summary>Closes the connection and ends the stream; what is in it can still be read.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        await stopping.CancelAsync();
        await running;
        lock (gate)
        {
            connected.TrySetException(new ObjectDisposedException(nameof(VirSession)));
            _ = connected.Task.Exception; // Nobody need have waited for it.
        }

        queue.Complete();
        stopping.Dispose();
    }

    private static TaskCompletionSource<VirConnect> NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        var pause = options.PauseMin;
        var number = 0;
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                var connection = await OpenAsync();
                pause = options.PauseMin;
                await UseAsync(connection, ++number);
            }
            catch (Exception e) when (e is not OperationCanceledException || !stopping.IsCancellationRequested)
            {
                queue.Write(new VirDisconnectedEvent(null, e, pause));
            }
            catch (OperationCanceledException)
            {
                return;
            }

            await PauseAsync(pause);
            pause = pause * 2 < options.PauseMax ? pause * 2 : options.PauseMax;
        }
    }

    /// <summary>An open connection with its events registered: they may come before the event that says that it is connected.</summary>
    private async Task<VirConnect> OpenAsync()
    {
        var connection = await VirConnect.OpenAsync(options.Uri, options.OpenTimeout, options.Flags, options.Time, stopping.Token);
        try
        {
            await connection.RunAsync(() =>
            {
                if (options.KeepAliveInterval > TimeSpan.Zero)
                    connection.SetKeepAlive(options.KeepAliveInterval, options.KeepAliveCount);
                connection.SubscribeInto(options.Events, queue);
            }, stopping.Token);
            return connection;
        }
        catch
        {
            await CloseAsync(connection);
            throw;
        }
    }

    private async Task UseAsync(VirConnect connection, int number)
    {
        lock (gate)
            connected.SetResult(connection);
        queue.Write(new VirConnectedEvent(connection, number));
        VirConnectCloseReason? reason = null;
        try
        {
            reason = await connection.Closed.WaitAsync(stopping.Token);
        }
        finally
        {
            lock (gate)
                connected = NewSignal();
            if (reason is not null)
                queue.Write(new VirDisconnectedEvent(reason, null, options.PauseMin));
            await CloseAsync(connection);
        }
    }

    /// <summary>Closing says goodbye to the daemon, which may block.</summary>
    private static Task CloseAsync(VirConnect connection) => BlockingThreads.RunAsync(connection.Close);

    private async Task PauseAsync(TimeSpan pause)
    {
        try
        {
            await Task.Delay(pause, options.Time, stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The loop ends by its condition.
        }
    }
}
