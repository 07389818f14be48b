using ControlPlane.Domain.Statistics;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Hosts;

/// <summary>Guests that send by themselves, while somebody looks.</summary>
public sealed class TrafficTests : EmulatedTest
{
    [Theory]
    [InlineData("1000", null, 1000, 256)]
    [InlineData("52:54:00:00:00:07@50", "52:54:00:00:00:07", 50, 256)]
    [InlineData("52:54:00:00:00:07@50x64000", "52:54:00:00:00:07", 50, 64_000)]
    public void A_pattern_is_read(string text, string? peer, int rate, int bytes)
    {
        var pattern = TrafficPattern.Parse(text);

        Assert.Equal((peer, rate, bytes), (pattern?.Peer?.ToString(), pattern?.FramesPerSecond, pattern?.FrameBytes));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("1000000")]
    [InlineData("ff:ff:ff:ff:ff:ff@10")]
    [InlineData("somebody@10")]
    [InlineData("10x10")]
    [InlineData("10x100x1")]
    [InlineData("-1")]
    public void What_cannot_be_read_is_no_traffic(string text) => Assert.Null(TrafficPattern.Parse(text));

    [Theory]
    [InlineData("virtio", "virtqueue")]
    [InlineData("e1000", "e1000")]
    [InlineData("xen", "xen-net")]
    public Task A_guest_that_is_looked_at_sends_and_hears_the_echo(string way, string group) => OnTestFleet(async fleet =>
    {
        var definition = await LaunchSender(fleet, "100", (GuestLabels.Nic, way));
        var first = await ReadAsync(fleet, definition);

        await Pass(fleet, 2);
        var second = await ReadAsync(fleet, definition);

        // The guest's NIC has just come to life, and has said so.
        Assert.InRange(Value(first, "nic", "transmitted-frames"), 0, 1);
        // Two seconds at a hundred a second, and the announcement; the station sends back all but that.
        Assert.InRange(Value(second, "nic", "transmitted-frames"), 199, 202);
        Assert.InRange(Value(second, "nic", "received-frames"), 199, 202);
        Assert.Equal(Value(second, "nic", "transmitted-frames"), Value(second, group, "transmitted-frames"));
        Assert.Equal(Value(second, "nic", "exits"), Value(second, group, "exits"));
    });

    [Fact]
    public Task Nothing_flows_while_nobody_looks() => OnTestFleet(async fleet =>
    {
        var definition = await LaunchSender(fleet, "100");
        await Pass(fleet, 3600);
        await ReadAsync(fleet, definition);
        await Pass(fleet, 3600);
        Ok(await fleet.Source.PingAsync(Ct));

        Assert.Null(DomainOf(fleet.Source, definition).Network);
        // Five seconds, and an announcement each time that the NIC comes to life.
        Assert.InRange(Value(await ReadAsync(fleet, definition), "nic", "transmitted-frames"), 500, 503);
    });

    [Fact]
    public Task However_fast_a_guest_sends_one_look_costs_so_many_frames() => OnTestFleet(async fleet =>
    {
        var definition = await LaunchSender(fleet, "100000");
        await ReadAsync(fleet, definition);
        await Pass(fleet, 60);

        Assert.InRange(Value(await ReadAsync(fleet, definition), "nic", "transmitted-frames"), 5000, 5100);
    });

    [Fact]
    public Task A_peer_on_another_host_receives_what_is_sent_and_looking_at_it_is_enough() => OnTestFleet(async fleet =>
    {
        var peer = await LaunchOn(fleet, fleet.Target, NewDefinition(fleet) with { Interfaces = [Standby() with { Mac = MacOf(77) }] });
        await LaunchSender(fleet, $"{MacOf(77)}@100");
        await Pass(fleet, 10);
        Ok(await fleet.Target.Statistics.ReadDomainStatisticsAsync(peer.Ref.Vm, Ct));

        await Pass(fleet, 2);

        var read = Ok(await fleet.Target.Statistics.ReadDomainStatisticsAsync(peer.Ref.Vm, Ct)).Groups;
        Assert.InRange(Value(read, "nic", "received-frames"), 199, 202);
    });

    [Theory] // One large frame: 44 segments, each with its way through ring and bridge, or none.
    [InlineData("on", 1)]
    [InlineData("off", 44)]
    public Task Offload_decides_how_often_a_large_frame_is_copied(string offload, int copiesEach) => OnTestFleet(async fleet =>
    {
        var peer = await LaunchOn(fleet, fleet.Source, NewDefinition(fleet) with { Interfaces = [Standby() with { Mac = MacOf(77) }] });
        var sender = await LaunchSender(fleet, $"{MacOf(77)}@1x64000", (GuestLabels.Offload, offload));
        await Pass(fleet, 10);
        await ReadAsync(fleet, sender);

        await Pass(fleet, 3.5);

        var (sent, taken) = (await ReadAsync(fleet, sender), await ReadAsync(fleet, peer));
        // The announcements are copied as well: one of each, sent and received.
        Assert.InRange(Value(sent, "nic", "copies"), 4 * copiesEach, (4 * copiesEach) + 2);
        Assert.InRange(Value(taken, "nic", "received-bytes"), 4 * 63_000, 4 * 70_000);
    });

    private static async Task<IReadOnlyList<CounterGroup>> ReadAsync(TestFleet fleet, DomainDefinition definition) =>
        Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct)).Groups;

    private static long Value(IReadOnlyList<CounterGroup> groups, string group, string counter) =>
        groups.FirstOrDefault(g => g.Name == group)?.Counters.FirstOrDefault(c => c.Name == counter).Value ?? 0;

    private async Task<DomainDefinition> LaunchSender(TestFleet fleet, string traffic, params (string, string)[] labels)
    {
        var definition = await LaunchOn(
            fleet, fleet.Source, Labelled(NewDefinition(fleet) with { Interfaces = [Standby()] }, [(GuestLabels.Traffic, traffic), .. labels]));
        await Pass(fleet, 10);
        return definition;
    }

    private static async Task<DomainDefinition> LaunchOn(TestFleet fleet, IHypervisor host, DomainDefinition definition)
    {
        Ok(await host.DefineAsync(definition, Ct));
        Ok(await host.StartAsync(definition.Ref, Ct));
        return definition;
    }
}
