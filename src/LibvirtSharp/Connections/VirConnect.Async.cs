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

    /// <summary>
    /// Before this version a client that makes several calls at a time through one connection may crash when that is lost: a thread leaves the
    /// address of its stack in an event source, and the thread that takes over waiting for answers follows it (CVE-2024-4418,
    /// virNetClientIOEventLoop). Calls one after another never take over from each other.
    /// </summary>
    private static readonly VirVersion SafeAtOnceSince = new(10, 4, 0);

    private readonly SemaphoreSlim calls;
    private readonly SemaphoreSlim longCalls = new(LongCallsMax);

    /// <summary>How many calls <see cref="RunAsync{T}"/> makes at a time; a long one counts only where there may be several.</summary>
    internal static int CallsAtOnce(VirVersion library) => library >= SafeAtOnceSince ? CallsMax : 1;

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
    /// run at a time for one connection, and one where the client library is older than 10.4; further ones wait their turn.
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

    /// <summary>
    /// For calls that may take minutes; at most three of these at a time. With an old client library short calls go on beside it, which is not quite
    /// safe there: who has many of both takes a connection of its own for long ones.
    /// </summary>
    internal async Task<T> RunLongAsync<T>(Func<T> call, CancellationToken cancellationToken)
    {
        await longCalls.WaitAsync(cancellationToken);
        try
        {
            return await (CallsAtOnce(LibraryVersion) == 1 ? BlockingThreads.RunAsync(call) : RunAsync(call, cancellationToken));
        }
        finally
        {
            longCalls.Release();
        }
    }
}
