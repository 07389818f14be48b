using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Emulated.Time;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Hypervisor.Emulated.Tests.Net;

/// <summary>Frames go where the tables say, and nowhere else.</summary>
public sealed class SwitchTests
{
    private static readonly MacAddress Ann = new(0x5254_0000_0001UL);
    private static readonly MacAddress Bob = new(0x5254_0000_0002UL);
    private static readonly MacAddress Eve = new(0x5254_0000_0003UL);

    private readonly WireSwitch wire = new("lab");
    private readonly Listener[] ports = [new(), new(), new()];

    public SwitchTests() => Array.ForEach(ports, wire.Connect);

    private static Frame NewFrame(MacAddress from, MacAddress to, int? vlan = null) => new(from, to, vlan, Frame.ProbeType, new byte[8]);

    [Fact]
    public void An_unknown_destination_is_flooded_and_a_learned_one_is_not()
    {
        wire.Send(ports[0], NewFrame(Ann, Bob));
        Assert.Equal([0, 1, 1], ports.Select(p => p.Heard.Count));

        wire.Send(ports[1], NewFrame(Bob, Ann));
        Assert.Equal([1, 1, 1], ports.Select(p => p.Heard.Count));
    }

    [Fact]
    public void A_station_that_moved_is_found_once_it_has_spoken()
    {
        wire.Send(ports[1], NewFrame(Bob, Frame.Broadcast));
        wire.Send(ports[0], NewFrame(Ann, Bob));
        Assert.Equal(1, ports[1].Heard.Count(f => f.Destination == Bob));

        wire.Send(ports[2], NewFrame(Bob, Frame.Broadcast));
        wire.Send(ports[0], NewFrame(Ann, Bob));
        Assert.Equal(1, ports[2].Heard.Count(f => f.Destination == Bob));
        Assert.Equal(1, ports[1].Heard.Count(f => f.Destination == Bob));
    }

    [Fact]
    public void The_same_address_is_another_station_in_another_VLAN()
    {
        wire.Send(ports[1], NewFrame(Bob, Frame.Broadcast, vlan: 10));
        ports[1].Heard.Clear();
        var before = wire.FloodedFrames;

        wire.Send(ports[0], NewFrame(Ann, Bob, vlan: 20));

        Assert.Equal(before + 1, wire.FloodedFrames);
    }

    [Fact]
    public void A_virtual_function_gets_what_its_filter_names_and_sends_only_as_itself()
    {
        var tree = new PciTree(new MachineBlueprint(Captures.Sriov));
        var functions = tree.SriovOf(Domain.Pci.PciAddress.Parse("0000:04:00.0"))!.Virtual;
        var settings = new Dictionary<EmulatedFunction, DeviceSettings>
        {
            [functions[0]] = DeviceSettings.None with { Mac = Ann, Vlan = 10 },
            [functions[1]] = DeviceSettings.None with { Mac = Bob, Vlan = 10 },
        };
        using var clock = new ModelClock(new VirtualTime());
        var inside = new EmbeddedSwitch(wire, clock, DeviceLimits.Unknown, f => settings[f], () => functions.Count);
        wire.Connect(inside);
        var heard = new Dictionary<EmulatedFunction, int>();
        var attached = new Dictionary<EmulatedFunction, EmbeddedPort>();
        foreach (var function in functions.Take(2))
            attached[function] = inside.Attach(function, new ListeningNic(_ => heard[function] = heard.GetValueOrDefault(function) + 1));

        wire.Send(ports[0], NewFrame(Eve, Ann, vlan: 10));
        wire.Send(ports[0], NewFrame(Eve, Ann, vlan: 11));
        wire.Send(ports[0], NewFrame(Eve, Bob with { Value = 0x5254_0000_0009UL }, vlan: 10));
        Assert.Equal(1, heard[functions[0]]);
        Assert.Equal(2, inside.UnfilteredFrames);

        inside.SendFrom(attached[functions[0]], NewFrame(Eve, Bob));
        Assert.Equal(1, inside.SpoofedFrames);
        Assert.False(heard.ContainsKey(functions[1]));

        // Neighbours on one NIC meet inside it: the wire sees nothing.
        var onWire = ports.Sum(p => p.Heard.Count);
        inside.SendFrom(attached[functions[0]], NewFrame(Ann, Bob));
        Assert.Equal(1, heard[functions[1]]);
        Assert.Equal(onWire, ports.Sum(p => p.Heard.Count));

        settings[functions[0]] = settings[functions[0]] with { SpoofCheck = false };
        inside.SendFrom(attached[functions[0]], NewFrame(Eve, Frame.Broadcast));
        Assert.All(ports, p => Assert.Equal((Eve, 10), (p.Heard[^1].Source, p.Heard[^1].Vlan)));
    }

    [Fact]
    public void A_frame_comes_out_of_guest_memory_as_it_went_in()
    {
        var sent = new Frame(Ann, Bob, 10, Frame.AnnounceType, new byte[] { 1, 2, 3 });
        var bytes = new byte[sent.Bytes];
        sent.CopyTo(bytes);

        var read = Frame.Parse(bytes);

        Assert.Equal((Ann, Bob, Frame.AnnounceType), (read.Source, read.Destination, read.EtherType));
        Assert.Equal(sent.Payload.ToArray(), read.Payload.ToArray());
    }

    private sealed class Listener : SwitchPort
    {
        public List<Frame> Heard { get; } = [];

        public override void Receive(Frame frame) => Heard.Add(frame);
    }
}
