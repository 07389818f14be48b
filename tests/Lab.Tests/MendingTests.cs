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
    public async Task Down_takes_the_wires_although_a_connection_still_waits_for_an_answer_from_the_other_host()
    {
        using var directory = TestDirectory.Create("unheard");
        var options = TwoHostsOptions.In(Path.Combine(directory.Path, "rig")) with { IsDetached = true };
        var rig = await TwoHosts.UpAsync(options, _ => { }, Ct);
        var wires = rig.Hosts.Select(host => $"/sys/class/net/cplab{host.Address.GetAddressBytes()[2]}-{host.Address.GetAddressBytes()[3]}").ToArray();
        try
        {
            Assert.All(wires, wire => Assert.True(Directory.Exists(wire)));
            var sayAWordAfterTheCut = "exec 3<>/dev/tcp/hv2/16509 && "
                + $"ip neigh replace {rig.Second.Address} lladdr 02:00:00:00:00:01 dev eth1 nud permanent && echo unheard >&3";
            var said = await rig.First.ExecuteAsync(["bash", "-c", sayAWordAfterTheCut], Ct);
            Assert.True(said.Succeeded, said.Output);
        }
        finally
        {
            await TwoHosts.DownAsync(options.Directory, CancellationToken.None);
        }

        Assert.All(wires, wire => Assert.False(Directory.Exists(wire)));
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
