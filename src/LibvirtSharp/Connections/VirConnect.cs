namespace LibvirtSharp;

/// <summary>
/// A connection to a hypervisor's libvirt. Stands for C's <c>virConnect</c>. Safe for several threads at once; calls on it block until
/// libvirt answers (see <see cref="RunAsync{T}"/> for callers that must not block). Objects got from it keep the C connection alive
/// until they are disposed too. Every member that calls libvirt throws <see cref="LibvirtException"/>.
/// </summary>
public sealed partial class VirConnect : IDisposable
{
    private VirConnect(VirConnectHandle handle, VirVersion library)
    {
        (Handle, LibraryVersion) = (handle, library);
        calls = new SemaphoreSlim(CallsAtOnce(library));
        Events = new EventHub(this);
    }

    /// <summary>
    /// Completes when the connection is gone: the daemon ended, did not answer keep-alive messages, or <see cref="Dispose"/> was called
    /// (<see cref="VirConnectCloseReason.Client"/>). Never completes for drivers inside the process (<c>test://</c>) before that.
    /// Stands for <c>virConnectRegisterCloseCallback</c>.
    /// </summary>
    public Task<VirConnectCloseReason> Closed => closed.Task;

    /// <summary>The version of the client library in this process.</summary>
    public VirVersion LibraryVersion { get; }

    internal VirConnectHandle Handle { get; }

    internal EventHub Events { get; }

    /// <summary>
    /// Opens a connection: <c>virConnectOpenAuth</c>, without credentials (the daemon asks for none, or TLS or SSH have settled it).
    /// Blocks for as long as the network does; see <see cref="OpenAsync"/> for a limit.
    /// </summary>
    /// <param name="uri">
    /// Such as <c>qemu:///system</c>, <c>qemu+unix:///system?socket=PATH</c>, <c>qemu+tcp://HOST/system</c>, <c>qemu+tls://HOST/system</c>,
    /// <c>qemu+ssh://USER@HOST/system</c>, <c>test:///default</c>; null for the client configuration's default.
    /// </param>
    /// <param name="flags">Read-only, or without aliases.</param>
    /// <exception cref="LibvirtException">No daemon, no permission, unknown URI, wrong certificate.</exception>
    /// <exception cref="LibvirtNotFoundException">The client library is not installed.</exception>
    public static unsafe VirConnect Open(string? uri, VirConnectFlags flags = VirConnectFlags.None)
    {
        LibvirtLibrary.Ensure();
        var connection = new VirConnect(Native.Check(NativeConnect.virConnectOpenAuth(uri, null, (uint)flags)), VirVersion.OfLibrary());
        connection.WatchClosing();
        return connection;
    }

    /// <summary>
    /// Whether the connection can still be used; asks nothing of the daemon, so it tells what keep-alive has found out so far. A connection
    /// that was disposed is not alive. Stands for <c>virConnectIsAlive</c>.
    /// </summary>
    public bool IsAlive() => !Handle.IsClosed && Native.CheckFlag(NativeConnect.virConnectIsAlive(Handle));

    /// <summary>Whether nobody on the way can listen: local, or encrypted. Stands for <c>virConnectIsSecure</c>.</summary>
    public bool IsSecure() => Native.CheckFlag(NativeConnect.virConnectIsSecure(Handle));

    /// <summary>Whether the transport is encrypted. Stands for <c>virConnectIsEncrypted</c>.</summary>
    public bool IsEncrypted() => Native.CheckFlag(NativeConnect.virConnectIsEncrypted(Handle));

    /// <summary>The URI as the driver understood it. Stands for <c>virConnectGetURI</c>.</summary>
    public string GetUri() => Native.TakeText(NativeConnect.virConnectGetURI(Handle));

    /// <summary>The hypervisor host's own name. Stands for <c>virConnectGetHostname</c>.</summary>
    public string GetHostname() => Native.TakeText(NativeConnect.virConnectGetHostname(Handle));

    /// <summary>The driver's name, such as <c>QEMU</c> or <c>Test</c>. Stands for <c>virConnectGetType</c>.</summary>
    public string GetDriverName() => Native.BorrowText(NativeConnect.virConnectGetType(Handle));

    /// <summary>The hypervisor's version. Stands for <c>virConnectGetVersion</c>.</summary>
    public unsafe VirVersion GetHypervisorVersion()
    {
        nuint version;
        Native.Check(NativeConnect.virConnectGetVersion(Handle, &version));
        return new VirVersion(version);
    }

    /// <summary>The version of libvirt at the other end. Stands for <c>virConnectGetLibVersion</c>.</summary>
    public unsafe VirVersion GetDaemonVersion()
    {
        nuint version;
        Native.Check(NativeConnect.virConnectGetLibVersion(Handle, &version));
        return new VirVersion(version);
    }

    /// <summary>
    /// Asks for keep-alive messages: after <paramref name="interval"/> of silence one is sent, and after <paramref name="count"/> unanswered
    /// ones the connection is closed with <see cref="VirConnectCloseReason.Keepalive"/>. Stands for <c>virConnectSetKeepAlive</c>.
    /// </summary>
    /// <param name="interval">Whole seconds; zero or less turns them off.</param>
    /// <param name="count">How many may stay unanswered.</param>
    /// <returns>False when the other end or the driver (<c>test://</c>) has none.</returns>
    public bool SetKeepAlive(TimeSpan interval, int count)
    {
        try
        {
            return Native.Check(NativeConnect.virConnectSetKeepAlive(Handle, (int)interval.TotalSeconds, (uint)count)) == 0;
        }
        catch (LibvirtException e) when (e.Code is VirErrorNumber.NoSupport)
        {
            return false;
        }
    }

    /// <summary>Closes the connection; see <see cref="Close"/>.</summary>
    public void Dispose() => Close();
}
