using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using ControlPlane.Testing;
using Npgsql;

namespace ControlPlane.Persistence.Tests;

/// <summary>A PostgreSQL socket that passes everything on, until it is told to cut a connection at a word.</summary>
internal sealed class LossyProxy : IAsyncDisposable
{
    private readonly TestDirectory directory = TestDirectory.Create("proxy");
    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly ConcurrentBag<Socket> sockets = [];
    private readonly string target;
    private readonly Task accepting;
    private string? requestToLose;
    private string? answerToLose;
    private int requestsToPass;
    private string? heldText;
    private TaskCompletionSource? holding;
    private int answersToPass;

    public LossyProxy(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        target = Path.Combine(settings.Host!, $".s.PGSQL.{settings.Port}");
        listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(directory.Path, $".s.PGSQL.{settings.Port}")));
        listener.Listen();
        settings.Host = directory.Path;
        ConnectionString = settings.ConnectionString;
        accepting = AcceptAsync();
    }

    public string ConnectionString { get; }

    public int Cuts { get; private set; }

    /// <summary>The next request with this text waits until the answer is disposed of.</summary>
    public IDisposable HoldRequest(string text)
    {
        (heldText, holding) = (text, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        return new Hold(holding);
    }

    /// <summary>The next request with this text never reaches PostgreSQL: the connection is cut in its place.</summary>
    public void LoseRequest(string text) => (requestToLose, requestsToPass) = (text, 0);

    /// <summary>The next answer with this text never reaches the client: PostgreSQL has done it, and the connection is cut.</summary>
    /// <param name="after">So many of them pass before.</param>
    public void LoseAnswer(string text, int after = 0) => (answerToLose, answersToPass) = (text, after);

    public async ValueTask DisposeAsync()
    {
        listener.Dispose();
        foreach (var socket in sockets)
            socket.Dispose();
        await accepting;
        directory.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptAsync();
                var server = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                sockets.Add(client);
                sockets.Add(server);
                await server.ConnectAsync(new UnixDomainSocketEndPoint(target));
                _ = PassAsync(client, server, chunk => Take(ref requestToLose, chunk, ref requestsToPass));
                _ = PassAsync(server, client, chunk => Take(ref answerToLose, chunk, ref answersToPass));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // Closed: the test is over.
        }
    }

    private async Task PassAsync(Socket from, Socket to, Func<ReadOnlyMemory<byte>, bool> isToBeLost)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var count)
            {
                if (isToBeLost(buffer.AsMemory(0, count)))
                {
                    Cuts++;
                    break;
                }
                if (holding is { } hold && heldText is { } held && buffer.AsSpan(0, count).IndexOf(Encoding.ASCII.GetBytes(held)) >= 0)
                    await hold.Task;
                for (var sent = 0; sent < count;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, count - sent));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The other direction was cut.
        }
        from.Dispose();
        to.Dispose();
    }

    private static bool Take(ref string? text, ReadOnlyMemory<byte> chunk, ref int toPass)
    {
        if (text is null || chunk.Span.IndexOf(Encoding.ASCII.GetBytes(text)) < 0 || toPass-- > 0)
            return false;
        text = null;
        return true;
    }

    private sealed class Hold(TaskCompletionSource holding) : IDisposable
    {
        public void Dispose() => holding.TrySetResult();
    }
}
