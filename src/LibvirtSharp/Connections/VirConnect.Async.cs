namespace LibvirtSharp;

/// <remarks>For callers that must not block.</remarks>
public sealed partial class VirConnect
{
    /// <summary>
    /// libvirtd answers at most five requests of one connection at a time (<c>max_client_requests</c>) and reads no sixth, not even an
    /// abort or a keep-alive message. One is left free for those.
    /// </summary>
    private const int CallsMax = 4;

    /// <summary>Calls that may take minutes, such as migrations, leave room for short ones.</summary>
    private const int LongCallsMax = 3;

    private readonly SemaphoreSlim calls = new(CallsMax);
    private readonly SemaphoreSlim longCalls = new(LongCallsMax);

    /// <summary>
    /// Opens a connection without blocking the caller, and gives up after a time: libvirt itself waits for as long as the network does.
    /// A connection that comes after all is closed at once.
    /// </summary>
    /// <param name="uri">As for <see cref="Open"/>.</param>
    /// <param name="timeout">How long to wait.</param>
    /// <param name="flags">As for <see cref="Open"/>.</param>
    /// <param name="time">The clock that the timeout is measured by.</param>
    /// <param name="cancellationToken">Gives up too.</param>
    /// <exception cref="LibvirtException">As for <see cref="Open"/>; <see cref="VirErrorNumber.NoConnect"/> when the time is over.</exception>
    public static async Task<VirConnect> OpenAsync(
        string? uri, TimeSpan timeout, VirConnectFlags flags = VirConnectFlags.None, TimeProvider? time = null, CancellationToken cancellationToken = default)
    {
        var opening = BlockingThreads.RunAsync(() => Open(uri, flags));
        try
        {
            return await opening.WaitAsync(timeout, time ?? TimeProvider.System, cancellationToken);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException && !opening.IsFaulted)
        {
            _ = opening.ContinueWith(late => late.Result.Dispose(), CancellationToken.None,
                TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            _ = opening.ContinueWith(late => late.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            if (e is OperationCanceledException)
                throw;
            throw LibvirtException.Of(VirErrorNumber.NoConnect, VirErrorDomain.Rpc, nameof(NativeConnect.virConnectOpenAuth),
                $"{uri ?? "The default connection"} did not answer within {timeout.TotalSeconds:0.###} s.");
        }
    }

    /// <summary>
    /// Makes blocking calls on a thread that is not the thread pool's: <c>await connection.RunAsync(() => domain.Suspend())</c>. At most four
    /// run at a time for one connection; further ones wait their turn.
    /// </summary>
    /// <param name="call">Calls on this connection's objects.</param>
    /// <param name="cancellationToken">Before it has begun; a call into C cannot be interrupted.</param>
    public async Task<T> RunAsync<T>(Func<T> call, CancellationToken cancellationToken = default)
    {
        await calls.WaitAsync(cancellationToken);
        try
        {
            return await BlockingThreads.RunAsync(call);
        }
        finally
        {
            calls.Release();
        }
    }

    /// <inheritdoc cref="RunAsync{T}"/>
    public Task RunAsync(Action call, CancellationToken cancellationToken = default) => RunAsync(() =>
    {
        call();
        return true;
    }, cancellationToken);

    /// <summary>For calls that may take minutes; at most three of these at a time.</summary>
    internal async Task<T> RunLongAsync<T>(Func<T> call, CancellationToken cancellationToken)
    {
        await longCalls.WaitAsync(cancellationToken);
        try
        {
            return await RunAsync(call, cancellationToken);
        }
        finally
        {
            longCalls.Release();
        }
    }
}
