using System.Net;
using System.Net.Sockets;

namespace ControlPlane.LibvirtSharp.Tests.Connections;

public sealed class ConnectionTests
{
    [Fact]
    public void A_connection_tells_who_is_at_the_other_end()
    {
        using var connection = VirConnect.Open(TestNode.Default);

        Assert.Equal("TEST", connection.GetDriverName());
        Assert.Equal(TestNode.Default, connection.GetUri());
        Assert.NotEmpty(connection.GetHostname());
        Assert.True(connection.IsAlive());
        Assert.True(connection.IsSecure());
        Assert.False(connection.IsEncrypted());
        Assert.Equal(VirVersion.OfLibrary(), connection.GetDaemonVersion());
        Assert.Equal(VirVersion.OfLibrary(), connection.LibraryVersion);
        Assert.True(connection.LibraryVersion >= new VirVersion(8, 0, 0), $"{connection.LibraryVersion}");
        Assert.False(connection.SetKeepAlive(TimeSpan.FromSeconds(1), 3), "a driver inside the process has no keep-alive");
    }

    [Fact]
    public void Closing_gives_up_the_only_reference_and_a_second_time_does_nothing()
    {
        var connection = VirConnect.Open(TestNode.Default);

        Assert.Equal(0, connection.Close());
        Assert.Equal(0, connection.Close());
        Assert.False(connection.IsAlive());
        Assert.Throws<ObjectDisposedException>(() => connection.GetHostname());
    }

    [Fact]
    public void An_object_keeps_its_C_connection_alive_until_it_is_disposed()
    {
        var connection = VirConnect.Open(TestNode.Default);
        var domain = connection.LookupDomainByName("test");

        Assert.Equal(1, connection.Close());

        Assert.Equal(VirDomainState.Running, domain.GetState().State);
        domain.Dispose();
    }

    [Fact]
    public async Task A_connection_that_is_closed_by_us_says_so()
    {
        var connection = VirConnect.Open(TestNode.Default);
        Assert.False(connection.Closed.IsCompleted);

        connection.Dispose();

        Assert.Equal(VirConnectCloseReason.Client, await connection.Closed);
    }

    [Fact]
    public void A_read_only_connection_refuses_changes()
    {
        using var connection = VirConnect.Open(TestNode.Default, VirConnectFlags.Ro);
        using var domain = connection.LookupDomainByName("test");

        var refused = Assert.Throws<LibvirtException>(() => domain.Suspend());

        Assert.Equal(VirErrorNumber.OperationDenied, refused.Code);
        Assert.Equal("virDomainSuspend", refused.Call);
    }

    [Fact]
    public async Task A_host_that_does_not_answer_is_a_clear_error_within_the_timeout()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var uri = $"qemu+tcp://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/system";

        var failed = await Assert.ThrowsAsync<LibvirtException>(() => VirConnect.OpenAsync(uri, TimeSpan.FromMilliseconds(300)));

        Assert.Equal(VirErrorNumber.NoConnect, failed.Code);
        Assert.Equal($"{uri} did not answer within 0.3 s.", failed.Message);
        Assert.True(failed.IsConnectionLost);
    }

    [Fact]
    public async Task Waiting_for_a_host_can_be_cancelled()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        using var cancel = new CancellationTokenSource();
        var opening = VirConnect.OpenAsync(
            $"qemu+tcp://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/system", TimeSpan.FromMinutes(5), cancellationToken: cancel.Token);

        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
    }

    [Fact]
    public async Task A_port_where_nobody_listens_is_a_typed_error()
    {
        int port;
        using (var listener = new TcpListener(IPAddress.Loopback, 0))
        {
            listener.Start();
            port = ((IPEndPoint)listener.LocalEndpoint).Port;
        }

        var failed = await Assert.ThrowsAsync<LibvirtException>(() => VirConnect.OpenAsync($"qemu+tcp://127.0.0.1:{port}/system", TimeSpan.FromSeconds(30)));

        Assert.Equal((VirErrorNumber.SystemError, VirErrorDomain.Rpc), (failed.Code, failed.Domain));
        Assert.Contains("refused", failed.Message, StringComparison.OrdinalIgnoreCase);
        Assert.True(failed.IsConnectionLost);
    }

    [Theory]
    [InlineData("qemu+unix:///system?socket=/nowhere/libvirt-sock", VirErrorNumber.SystemError)]
    [InlineData("test:///nowhere.xml", VirErrorNumber.XmlError)]
    public void A_uri_that_leads_nowhere_is_a_typed_error(string uri, VirErrorNumber code)
    {
        var failed = Assert.Throws<LibvirtException>(() => VirConnect.Open(uri));

        Assert.Equal(code, failed.Code);
        Assert.Equal("virConnectOpenAuth", failed.Call);
        Assert.Equal(VirErrorLevel.Error, failed.Level);
    }

    [Fact]
    public void A_missing_library_is_named_with_the_package_that_has_it()
    {
        var missing = Assert.Throws<LibvirtNotFoundException>(() => LibvirtLibrary.Load("libvirt-that-is-not-there.so.0"));

        Assert.Contains("libvirt-that-is-not-there.so.0", missing.Message, StringComparison.Ordinal);
        Assert.Contains("apt-get install libvirt0", missing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Blocking_calls_run_off_the_thread_pool_and_no_more_at_a_time_than_the_library_bears()
    {
        var atOnce = VirConnect.CallsAtOnce(VirVersion.OfLibrary());
        using var connection = VirConnect.Open(TestNode.Default);
        using var open = new ManualResetEventSlim();
        var running = 0;
        var most = 0;
        var started = new SemaphoreSlim(0);

        var calls = Enumerable.Range(0, 12).Select(_ => connection.RunAsync(() =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref running));
            started.Release();
            open.Wait();
            Interlocked.Decrement(ref running);
            return Thread.CurrentThread.IsThreadPoolThread;
        })).ToList();
        for (var at = 0; at < atOnce; at++)
            await started.WaitAsync();
        open.Set();
        var onPool = await Task.WhenAll(calls);

        Assert.DoesNotContain(true, onPool);
        Assert.Equal(atOnce, most);
    }

    [Theory, InlineData(9, 0, 1), InlineData(10, 3, 1), InlineData(10, 4, 4), InlineData(12, 0, 4)]
    public void A_library_that_may_crash_when_a_connection_is_lost_is_called_once_at_a_time(int major, int minor, int atOnce) =>
        Assert.Equal(atOnce, VirConnect.CallsAtOnce(new VirVersion(major, minor, 0)));

    private static void InterlockedMax(ref int most, int value)
    {
        var seen = Volatile.Read(ref most);
        while (value > seen)
            seen = Interlocked.CompareExchange(ref most, value, seen) is var was && was == seen ? value : was;
    }
}
