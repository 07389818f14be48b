using ControlPlane.Lab.Guests;
using ControlPlane.Testing;

namespace ControlPlane.Lab.Tests;

/// <summary>A rig that people bring up outlives the tool, and may be found half dead.</summary>
public sealed class MendingTests
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_second_up_mends_what_is_dead_and_keeps_what_lives_and_down_leaves_nothing()
    {
        using var directory = TestDirectory.Create("mended");
        var options = TwoHostsOptions.In(Path.Combine(directory.Path, "rig")) with { IsDetached = true };
        try
        {
            var rig = await TwoHosts.UpAsync(options, _ => { }, Ct);
            var guest = new GuestSpec("kept");
            await rig.First.StartGuestAsync(guest, rig.Image, Ct);
            await rig.First.Console(guest.Name).WaitForHeartbeatAsync(0, Deadline, Ct);
            await rig.First.KillDaemonAsync(Ct);
            await rig.Second.Namespaces.EndAsync(Ct);
            Assert.Equal([true, false], TwoHosts.Find(options.Directory).Select(TwoHosts.IsUp));

            var mended = await TwoHosts.UpAsync(options, _ => { }, Ct);

            Assert.Equal(rig.Hosts.Select(host => host.TcpUri), mended.Hosts.Select(host => host.TcpUri));
            await mended.First.RequireVirshAsync(["migrate", "--live", "--p2p", guest.Name, mended.Second.PeerTlsUri, "--tls"], Ct);
            Assert.Equal("running", (await mended.Second.RequireVirshAsync(["domstate", guest.Name], Ct)).Trim());
        }
        finally
        {
            Assert.True(await TwoHosts.DownAsync(options.Directory, CancellationToken.None));
        }

        Assert.Empty(TwoHosts.Find(options.Directory));
        Assert.False(await TwoHosts.DownAsync(options.Directory, Ct));
    }

    [Fact]
    public async Task Down_removes_a_rig_that_came_up_no_further_than_its_first_directory()
    {
        using var directory = TestDirectory.Create("half-made");
        var rig = Path.Combine(directory.Path, "rig");
        Directory.CreateDirectory(Path.Combine(rig, "hv1"));

        Assert.True(await TwoHosts.DownAsync(rig, Ct));
        Assert.False(Directory.Exists(rig));
    }
}
