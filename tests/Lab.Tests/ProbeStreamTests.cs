using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using ControlPlane.Lab.Probes;
using ControlPlane.Testing;

namespace ControlPlane.Lab.Tests;

/// <summary>The stream against a wire and a guest of the test's own.</summary>
public sealed class ProbeStreamTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    private readonly TestDirectory directory = TestDirectory.Create("probe");
    private readonly Socket wire = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly ProbeStreamOptions options;

    public ProbeStreamTests()
    {
        options = new ProbeStreamOptions(
            Path.Combine(directory.Path, "probe"), Path.Combine(directory.Path, "wire"), PhysicalAddress.Parse("52-54-00-00-00-01"), IPAddress.Parse("10.99.0.50"))
        { Interval = TimeSpan.FromMilliseconds(1) };
        wire.Bind(new UnixDomainSocketEndPoint(options.Wire));
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_that_are_answered_are_told_from_those_that_are_not()
    {
        await using var stream = ProbeStream.Start(options, TimeProvider.System);
        var replies = stream.AwaitRepliesAsync(5, Deadline, Ct);
        for (var sequence = 0; !replies.IsCompleted; sequence++)
        {
            var request = await ReceiveAsync();
            Assert.Equal(0, EchoFrames.Checksum(request.AsSpan(14, 20)));
            Assert.Equal(0, EchoFrames.Checksum(request.AsSpan(34)));
            if (sequence % 2 == 1)
                await AnswerAsync(request);
        }

        await replies;

        var answered = stream.Trace().Probes.Select((probe, sequence) => (probe, sequence)).Where(found => found.probe.Answered is not null).ToList();
        Assert.True(answered.Count >= 5);
        Assert.All(answered, found => Assert.Equal(1, found.sequence % 2));
    }

    [Fact]
    public async Task Who_asks_for_the_probes_MAC_is_answered()
    {
        await using var stream = ProbeStream.Start(options, TimeProvider.System);
        byte[] asker = [0x52, 0x54, 0, 0, 0, 1], address = [10, 99, 0, 50];
        byte[] question =
        [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, .. asker, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1, .. asker, .. address, 0, 0, 0, 0, 0, 0, .. options.ProbeAddress.GetAddressBytes(),
        ];
        await wire.SendToAsync(question, SocketFlags.None, new UnixDomainSocketEndPoint(options.Socket), Ct);

        byte[] frame;
        do
        {
            frame = await ReceiveAsync();
        }
        while (frame[13] != 6);

        var mac = options.ProbeMac.GetAddressBytes();
        Assert.Equal([.. asker, .. mac, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2, .. mac, .. options.ProbeAddress.GetAddressBytes(), .. asker, .. address], frame[..42]);
    }

    public void Dispose()
    {
        wire.Dispose();
        directory.Dispose();
    }

    private async Task<byte[]> ReceiveAsync()
    {
        var buffer = new byte[2000];
        return buffer[..await wire.ReceiveAsync(buffer, Ct)];
    }

    /// <summary>As a guest does: addresses change places, and the request becomes a reply.</summary>
    private async Task AnswerAsync(byte[] request)
    {
        byte[] reply = [.. request[6..12], .. request[..6], .. request[12..26], .. request[30..34], .. request[26..30], 0, .. request[35..]];
        await wire.SendToAsync(reply, SocketFlags.None, new UnixDomainSocketEndPoint(options.Socket), Ct);
    }
}
