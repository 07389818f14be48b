using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Emulated.Time;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Hypervisor.Emulated.Tests.Net;

/// <summary>What a NIC enforces for its virtual functions.</summary>
public sealed class EmbeddedSwitchTests : IDisposable
{
    private static readonly MacAddress Ann = NicStand.Guest;
    private static readonly MacAddress Bob = NicStand.Other;
    private static readonly MacAddress Eve = new(0x5254_0000_0003UL);
    private static readonly MacAddress Group = new(0x0100_5e00_0001UL);

    private readonly VirtualTime time = new();
    private readonly ModelClock clock;
    private readonly WireSwitch wire = new("lab");
    private readonly IReadOnlyList<EmulatedFunction> functions;
    private readonly Dictionary<EmulatedFunction, DeviceSettings> settings = [];
    private readonly Dictionary<EmulatedFunction, List<Frame>> heard = [];
    private readonly Listener outside = new();
    private DeviceLimits limits = DeviceModelCatalog.Shipped.Find("connectx-4-lx")!.Limits;
    private int virtualFunctions;

    public EmbeddedSwitchTests()
    {
        clock = new ModelClock(time);
        functions = new PciTree(new MachineBlueprint(Captures.Sriov)).SriovOf(Domain.Pci.PciAddress.Parse("0000:04:00.0"))!.Virtual;
        wire.Connect(outside);
    }

    public void Dispose() => clock.Dispose();

    [Fact] // VF to VF inside the NIC.
    public void Neighbours_meet_inside_the_NIC_and_the_wire_hears_nothing()
    {
        var nic = NewSwitch();
        var (ann, _) = (Plug(nic, 0, Ann), Plug(nic, 1, Bob));

        nic.SendFrom(ann, To(Bob, from: Ann));
        nic.SendFrom(ann, To(Eve, from: Ann));

        Assert.Equal((1, 1), (heard[functions[1]].Count, outside.Heard.Count));
        Assert.Equal((1, 1), (nic.LocalFrames, nic.WireFrames));
    }

    [Fact]
    public void A_frame_under_another_address_or_with_a_tag_of_its_own_goes_nowhere()
    {
        var nic = NewSwitch();
        var ann = Plug(nic, 0, Ann, s => s with { Vlan = 10 });
        Plug(nic, 1, Bob, s => s with { Vlan = 20 });

        nic.SendFrom(ann, To(Bob, from: Eve));
        nic.SendFrom(ann, To(Bob, from: Ann) with { Vlan = 20 });

        Assert.Equal((1, 1), (nic.SpoofedFrames, nic.TaggedFrames));
        Assert.Empty(heard[functions[1]]);
        Assert.Empty(outside.Heard);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Only_a_trusted_function_hears_everything_or_changes_its_address(bool trusted)
    {
        var nic = NewSwitch();
        var (ann, bob) = (Plug(nic, 0, Ann, s => s with { Trust = trusted }), Plug(nic, 1, Bob));

        Assert.Equal(trusted, ann.RequestPromiscuous(on: true));
        Assert.Equal(trusted, ann.RequestAllMulticast(on: true));
        Assert.Equal(trusted, ann.RequestMac(Eve));
        nic.SendFrom(bob, To(new MacAddress(0x5254_0000_0009UL), from: Bob));
        nic.SendFrom(bob, To(Group, from: Bob));
        nic.SendFrom(ann, To(Bob, from: Eve));

        Assert.Equal(trusted ? 2 : 0, heard[functions[0]].Count);
        Assert.Equal(trusted ? 1 : 0, heard[functions[1]].Count);
        Assert.Equal((trusted ? 0 : 3, trusted ? 0 : 1), (ann.RefusedRequests, nic.SpoofedFrames));
    }

    [Fact]
    public void Trust_that_is_taken_away_takes_what_it_allowed()
    {
        var nic = NewSwitch();
        var (ann, bob) = (Plug(nic, 0, Ann, s => s with { Trust = true }), Plug(nic, 1, Bob));
        ann.RequestPromiscuous(on: true);
        ann.RequestMac(Eve);

        settings[functions[0]] = settings[functions[0]] with { Trust = false };
        nic.SendFrom(bob, To(Eve, from: Bob));
        Assert.Empty(heard[functions[0]]);
        nic.SendFrom(bob, To(Ann, from: Bob));
        Assert.Single(heard[functions[0]]);
    }

    [Fact]
    public void Any_function_hears_broadcasts_and_the_groups_that_it_joined_as_far_as_there_are_filters()
    {
        limits = limits with { MulticastFilters = 1 };
        var nic = NewSwitch();
        var (ann, bob) = (Plug(nic, 0, Ann), Plug(nic, 1, Bob));
        Assert.True(ann.RequestGroup(Group));
        Assert.False(ann.RequestGroup(new MacAddress(Group.Value + 1)));
        Assert.False(ann.RequestGroup(Eve));

        nic.SendFrom(bob, To(Group, from: Bob));
        nic.SendFrom(bob, To(new MacAddress(Group.Value + 1), from: Bob));
        nic.SendFrom(bob, To(Frame.Broadcast, from: Bob));

        Assert.Equal([Group, Frame.Broadcast], heard[functions[0]].Select(f => f.Destination));
    }

    [Fact] // 1,000 Mbit/s carry 125,000 bytes in a millisecond.
    public void A_greatest_rate_holds_to_the_frame()
    {
        var nic = NewSwitch();
        var ann = Plug(nic, 0, Ann, s => s with { MaxTxRateMbps = 1000 });
        var sent = Greedy(nic, ann, Ann);

        Run(milliseconds: 10);
        var before = sent.Bytes;
        Run(milliseconds: 100);

        Assert.InRange(sent.Bytes - before, 100 * 125_000 - 3000, 100 * 125_000 + 3000);
        Assert.True(nic.Waits > 0);
    }

    [Fact] // 25,000 Mbit/s of link: 20,000 are promised to one of two who both want all.
    public void A_least_rate_is_a_share_that_others_cannot_take()
    {
        var nic = NewSwitch();
        var promised = Plug(nic, 0, Ann, s => s with { MinTxRateMbps = 20_000 });
        var other = Plug(nic, 1, Bob);
        var (guaranteed, rest) = (Greedy(nic, promised, Ann), Greedy(nic, other, Bob));

        Run(milliseconds: 10);
        var (before, restBefore) = (guaranteed.Bytes, rest.Bytes);
        Run(milliseconds: 20);

        var (own, others) = (guaranteed.Bytes - before, rest.Bytes - restBefore);
        Assert.True(own >= 20 * 125 * 20_000L - 70_000, $"{own} bytes of {20 * 125 * 20_000L} promised");
        // Nobody sends more than the link carries, and nothing of it is lost.
        Assert.InRange(own + others, 20 * 125 * 25_000L - 200_000, 20 * 125 * 25_000L + 200_000);
    }

    [Fact]
    public void What_is_promised_and_not_used_is_the_others()
    {
        var nic = NewSwitch();
        Plug(nic, 0, Ann, s => s with { MinTxRateMbps = 20_000 });
        var other = Plug(nic, 1, Bob, s => s with { MaxTxRateMbps = 24_000 });
        var rest = Greedy(nic, other, Bob);

        Run(milliseconds: 10);
        var before = rest.Bytes;
        Run(milliseconds: 20);

        Assert.InRange(rest.Bytes - before, 20 * 125 * 24_000L - 70_000, 20 * 125 * 24_000L + 70_000);
    }

    [Fact]
    public void A_NIC_that_promises_no_rate_says_so_and_gives_none()
    {
        limits = DeviceModelCatalog.Shipped.Find("82576")!.Limits;
        var nic = NewSwitch();

        Plug(nic, 0, Ann, s => s with { MinTxRateMbps = 500 });

        Assert.Equal(1, nic.IgnoredGuarantees);
    }

    [Fact] // 82576: eight pools; the physical function's, seven functions', and no other.
    public void Pools_are_shared_with_the_virtual_functions()
    {
        limits = DeviceModelCatalog.Shipped.Find("82576")!.Limits;
        virtualFunctions = 6;
        var nic = NewSwitch();

        Assert.NotNull(nic.AttachPool(Ann, null, new ListeningNic(_ => { })));
        Assert.Null(nic.AttachPool(Bob, null, new ListeningNic(_ => { })));
        Assert.Equal(1, nic.RefusedPools);
    }

    [Fact]
    public void Large_frames_are_cut_inside_the_NIC()
    {
        var nic = NewSwitch();
        var (ann, _) = (Plug(nic, 0, Ann), Plug(nic, 1, Bob));
        var packet = new byte[40 + 3000];
        TcpPacket.Format(packet, Ann, Bob, 0);

        nic.SendFrom(ann, new Frame(Ann, Bob, null, TcpPacket.EtherType, packet) { SegmentBytes = 1460 });

        Assert.Equal((1, 3, 3), (nic.CutFrames, nic.Segments, heard[functions[1]].Count));
    }

    private static Frame To(MacAddress target, MacAddress from) => new(from, target, null, Frame.TrafficType, new byte[1500]);

    private EmbeddedSwitch NewSwitch()
    {
        var nic = new EmbeddedSwitch(wire, clock, limits, f => settings[f], () => virtualFunctions);
        wire.Connect(nic);
        return nic;
    }

    private EmbeddedPort Plug(EmbeddedSwitch nic, int number, MacAddress mac, Func<DeviceSettings, DeviceSettings>? with = null)
    {
        var function = functions[number];
        var own = DeviceSettings.None with { Mac = mac };
        settings[function] = with?.Invoke(own) ?? own;
        heard[function] = [];
        return nic.Attach(function, new ListeningNic(heard[function].Add));
    }

    /// <summary>A function that always has a frame to send.</summary>
    private static Sender Greedy(EmbeddedSwitch nic, EmbeddedPort port, MacAddress mac)
    {
        var sender = new Sender();
        port.Ready = Send;
        Send();
        return sender;

        void Send()
        {
            var frame = To(Eve, mac);
            while (nic.SendFrom(port, frame))
                sender.Bytes += frame.Bytes;
        }
    }

    private void Run(double milliseconds)
    {
        time.Advance(TimeSpan.FromMilliseconds(milliseconds));
        clock.Enter().Dispose();
    }

    private sealed class Sender
    {
        public long Bytes { get; set; }
    }

    private sealed class Listener : SwitchPort
    {
        public List<Frame> Heard { get; } = [];

        public override void Receive(Frame frame) => Heard.Add(frame);
    }
}
