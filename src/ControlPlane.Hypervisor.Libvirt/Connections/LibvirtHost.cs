using System.Threading.Channels;
using ControlPlane.Domain;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Connections;

/// <summary>
/// The connection to one host: opened in the background, watched by keep-alive, opened again with growing pauses. While there is none every
/// call answers at once that the host is unavailable, with the reason of the last try.
/// </summary>
internal sealed class LibvirtHost : IAsyncDisposable
{
    /// <summary>A call that libvirtd has not answered by then may or may not have been done.</summary>
    private static readonly TimeSpan CallMax = TimeSpan.FromSeconds(120);

    private const int EventsKept = 4096;

    private readonly VirSession session;
    private readonly LibvirtOptions options;
    private readonly Task pumping;
    private readonly Lock gate = new();
    private readonly HashSet<Channel<VirEvent>> readers = [];
    private TaskCompletionSource tried = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private string? lastError;
    private VirConnect? looked;
    private Fault? tooOld;

    /// <exception cref="LibvirtNotFoundException">The client library is not installed.</exception>
    public LibvirtHost(HostId id, HostSettings settings, LibvirtOptions options, TimeProvider time)
    {
        (Id, Settings, Time, this.options) = (id, settings, time, options);
        session = VirSession.Start(new VirSessionOptions(settings.Uri)
        {
            OpenTimeout = options.OpenTimeout,
            KeepAliveInterval = options.KeepAliveInterval,
            KeepAliveCount = options.KeepAliveCount,
            PauseMax = options.ReconnectPauseMax,
            Time = time,
        });
        pumping = PumpAsync();
    }

    public HostId Id { get; }

    /// <summary>Changes with the host's labels.</summary>
    public HostSettings Settings { get; set; }

    public TimeProvider Time { get; }

    /// <summary>Null: libvirt is all that we have on this host.</summary>
    public HostShell? Shell => HostShell.For(Settings, options.HostShell);

    /// <summary>The connection; while there is none yet, as soon as the first try has come to its end.</summary>
    public async ValueTask<Outcome<VirConnect>> ConnectAsync(CancellationToken ct)
    {
        if (session.Connection is { } present)
            return present;
        Task firstTry;
        lock (gate)
            firstTry = tried.Task;
        try
        {
            await Task.WhenAny(session.WaitForConnectionAsync(ct), firstTry).WaitAsync(options.OpenTimeout, Time, ct);
        }
        catch (TimeoutException)
        {
            // The answer below says so.
        }
        return session.Connection is { } connection ? connection : Silent();
    }

    public Fault Silent()
    {
        lock (gate)
            return Fault.Unavailable(LibvirtFaults.Silent, lastError is null
                ? $"{Settings.Uri} did not answer within {options.OpenTimeout.TotalSeconds:0.#} s."
                : $"{Settings.Uri} cannot be reached: {lastError}");
    }

    /// <summary>Does blocking calls on a thread for them; what libvirt refuses comes back as a fault.</summary>
    public async Task<Outcome<T>> RunAsync<T>(Func<VirConnect, Outcome<T>> work, CancellationToken ct)
    {
        if (!(await ConnectAsync(ct)).TryGet(out var connection, out var silent))
            return silent;
        try
        {
            return await connection.RunAsync(() => CheckVersions(connection) is { } fault ? fault : work(connection), ct).WaitAsync(CallMax, Time, ct);
        }
        catch (LibvirtException e)
        {
            return LibvirtFaults.Of(e);
        }
        catch (TimeoutException)
        {
            return Fault.Unavailable(LibvirtFaults.Silent, $"{Settings.Uri} has not answered a call for {CallMax.TotalSeconds:0} s; it may or may not have been done.");
        }
        catch (ObjectDisposedException)
        {
            // The connection was lost and closed between two calls.
            return Silent();
        }
    }

    /// <summary>Once for each connection: a host that was down may have been updated.</summary>
    private Fault? CheckVersions(VirConnect connection)
    {
        lock (gate)
        {
            if (looked == connection)
                return tooOld;
        }
        var fault = LibvirtVersions.Of(connection).Check(Settings.Uri, options);
        lock (gate)
            (looked, tooOld) = (connection, fault);
        return fault;
    }

    /// <summary>All that libvirt tells from now on; ends when the connection is lost.</summary>
    public Channel<VirEvent> Listen()
    {
        var reader = Channel.CreateBounded<VirEvent>(new BoundedChannelOptions(EventsKept) { FullMode = BoundedChannelFullMode.DropOldest });
        lock (gate)
        {
            if (session.Connection is null)
                reader.Writer.Complete();
            else
                readers.Add(reader);
        }
        return reader;
    }

    public void Leave(Channel<VirEvent> reader)
    {
        lock (gate)
            readers.Remove(reader);
        reader.Writer.TryComplete();
    }

    public async ValueTask DisposeAsync()
    {
        await session.DisposeAsync();
        await pumping;
    }

    private async Task PumpAsync()
    {
        await foreach (var happened in session.ReadAllAsync())
        {
            lock (gate)
                Tell(happened);
        }
        lock (gate)
            Tell(new VirDisconnectedEvent(VirConnectCloseReason.Client, null, TimeSpan.Zero));
    }

    private void Tell(VirEvent happened)
    {
        switch (happened)
        {
            case VirDisconnectedEvent lost:
                lastError = lost.Error is { } error ? ConnectionAdvice.Explain(Settings.Uri, error.Message) : $"the connection was lost ({lost.Reason})";
                foreach (var reader in readers)
                    reader.Writer.TryComplete();
                readers.Clear();
                tried.TrySetResult();
                break;
            case VirConnectedEvent:
                lastError = null;
                break;
            default:
                foreach (var reader in readers)
                    reader.Writer.TryWrite(happened);
                break;
        }
    }
}
