using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab.Probes;

/// <summary>Where the probe stands, whom it asks and how often.</summary>
/// <param name="Socket">The probe's place on the wire: a datagram socket, each message of which is an Ethernet frame.</param>
/// <param name="Wire">The socket of the wire.</param>
/// <param name="GuestMac">The MAC of the guest that is asked.</param>
/// <param name="GuestAddress">Its IPv4 address.</param>
public sealed record ProbeStreamOptions(string Socket, string Wire, PhysicalAddress GuestMac, IPAddress GuestAddress)
{
    public PhysicalAddress ProbeMac { get; init; } = PhysicalAddress.Parse("52-54-00-00-09-01");

    public IPAddress ProbeAddress { get; init; } = IPAddress.Parse("10.99.0.9");

    /// <summary>The distance of two probes, and so how finely a gap is known.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromMilliseconds(100);
}

/// <summary>
/// A third station on a rig's wire that sends numbered echo requests to a guest at a fixed distance, whatever happens to the replies, and keeps
/// when each reply arrived. The guest's kernel answers: nothing of ours runs in it. What happens to the guest's traffic is read off the
/// numbers that are missing.
/// </summary>
public sealed class ProbeStream : IAsyncDisposable
{
    private const int FrameBytesMax = 65536;

    private const ushort Identifier = 0x4350;

    private readonly ProbeStreamOptions options;
    private readonly TimeProvider time;
    private readonly EchoFrames frames;
    private readonly Socket socket;
    private readonly UnixDomainSocketEndPoint wire;
    private readonly CancellationTokenSource stopping = new();
    private readonly Lock gate = new();
    private readonly List<Probe> probes = [];
    private readonly long began;
    private readonly Task sending;
    private readonly Task receiving;
    private TaskCompletionSource arrival = NewArrival();
    private int answered;

    private ProbeStream(ProbeStreamOptions options, TimeProvider time)
    {
        (this.options, this.time) = (options, time);
        frames = new EchoFrames(options.ProbeMac, options.ProbeAddress, options.GuestMac, options.GuestAddress, Identifier);
        File.Delete(options.Socket);
        socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(options.Socket));
        wire = new UnixDomainSocketEndPoint(options.Wire);
        began = time.GetTimestamp();
        receiving = ReceiveAsync();
        sending = SendAsync();
    }

    /// <summary>Since the stream began: the clock of its probes.</summary>
    public TimeSpan Now => time.GetElapsedTime(began);

    public static ProbeStream Start(ProbeStreamOptions options, TimeProvider time) => new(options, time);

    /// <summary>All probes so far.</summary>
    public ProbeTrace Trace()
    {
        lock (gate)
            return new ProbeTrace([.. probes]);
    }

    /// <summary>Waits for replies to probes that leave from now on.</summary>
    /// <exception cref="LabException">They did not come in time.</exception>
    public async Task<TimeSpan> AwaitRepliesAsync(int count, TimeSpan deadline, CancellationToken ct)
    {
        int first, already;
        lock (gate)
            (first, already) = (probes.Count, answered);
        var from = Now;
        using var late = new CancellationTokenSource(deadline, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, ct);
        while (true)
        {
            Task next;
            lock (gate)
            {
                if (probes.Skip(first).Count(probe => probe.Answered is not null) >= count)
                    return Now - from;
                next = arrival.Task;
            }

            try
            {
                await next.WaitAsync(either.Token);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                throw new LabException($"{options.GuestAddress} answered fewer than {count} probes within {deadline.TotalSeconds:0} s; before that, {already}");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(sending, receiving);
        socket.Dispose();
        stopping.Dispose();
        File.Delete(options.Socket);
    }

    private async Task SendAsync()
    {
        using var timer = new PeriodicTimer(options.Interval, time);
        try
        {
            for (ushort sequence = 0; sequence < ushort.MaxValue; sequence++)
            {
                var frame = frames.Request(sequence);
                lock (gate)
                    probes.Add(new Probe(Now, null));
                await TrySendAsync(frame);
                await timer.WaitForNextTickAsync(stopping.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[FrameBytesMax];
        try
        {
            while (true)
            {
                var length = await socket.ReceiveAsync(buffer, stopping.Token);
                var frame = buffer.AsMemory(0, length);
                if (frames.ReplyIn(frame.Span) is { } sequence)
                    Take(sequence);
                else if (frames.AnswerTo(frame.Span) is { } answer)
                    await TrySendAsync(answer);
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
    }

    private void Take(ushort sequence)
    {
        lock (gate)
        {
            // A reply may come twice, from both of the guest's ways; the first counts.
            if (sequence >= probes.Count || probes[sequence].Answered is not null)
                return;
            probes[sequence] = probes[sequence] with { Answered = Now };
            answered++;
            arrival.SetResult();
            arrival = NewArrival();
        }
    }

    /// <summary>A wire that is gone, or full, loses frames as a real one does: the trace shows it.</summary>
    private async Task TrySendAsync(byte[] frame)
    {
        try
        {
            await socket.SendToAsync(frame, SocketFlags.None, wire, stopping.Token);
        }
        catch (SocketException)
        {
            // Lost.
        }
    }

    private static TaskCompletionSource NewArrival() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
