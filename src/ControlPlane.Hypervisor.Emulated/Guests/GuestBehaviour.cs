using ControlPlane.Domain.Networks;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor.Emulated.Cpu;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Guests;

internal enum UnplugManner
{
    /// <summary>Acknowledges.</summary>
    Acknowledge,

    /// <summary>Acknowledges even after the request was withdrawn: the device is gone behind everybody's back.</summary>
    AcknowledgeLate,

    /// <summary>Hears nothing.</summary>
    Ignore,

    /// <summary>Says no.</summary>
    Refuse,
}

/// <param name="After">Null: as long as guests usually take.</param>
internal sealed record UnplugHabit(UnplugManner Manner, TimeSpan? After)
{
    public static readonly UnplugHabit Prompt = new(UnplugManner.Acknowledge, null);

    /// <summary><c>prompt</c>, <c>slow:5s</c>, <c>late:5s</c>, <c>ignore</c>, <c>refuse</c>; anything else is null.</summary>
    public static UnplugHabit? Parse(string? text) => text switch
    {
        null => null,
        "prompt" => Prompt,
        "ignore" => new UnplugHabit(UnplugManner.Ignore, null),
        "refuse" => new UnplugHabit(UnplugManner.Refuse, null),
        _ when text.StartsWith("slow:", StringComparison.Ordinal) && Durations.Parse(text[5..]) is { } slow => new UnplugHabit(UnplugManner.Acknowledge, slow),
        _ when text.StartsWith("late:", StringComparison.Ordinal) && Durations.Parse(text[5..]) is { } late => new UnplugHabit(UnplugManner.AcknowledgeLate, late),
        _ => null,
    };
}

/// <summary>How a guest behaves, read from its VM's labels. One that cannot be read is refused when the VM is made (<see cref="GuestLabelForms"/>), and changes nothing where it comes in otherwise.</summary>
internal sealed class GuestBehaviour(IReadOnlyDictionary<string, string> labels, GuestTimings timings)
{
    public TimeSpan Boot => Durations.Parse(Label(GuestLabels.Boot)) ?? timings.Boot;

    public TimeSpan DriverProbe => Durations.Parse(Label(GuestLabels.DriverProbe)) ?? timings.DriverProbe;

    public TimeSpan PathChange => timings.PathChange;

    /// <summary>How long a shutdown takes; null: the guest ignores the power button.</summary>
    public TimeSpan? Shutdown => Label(GuestLabels.Shutdown) switch
    {
        "ignore" => null,
        { } text when text.StartsWith("slow:", StringComparison.Ordinal) => Durations.Parse(text[5..]) ?? timings.Shutdown,
        _ => timings.Shutdown,
    };

    /// <summary>The guest powers itself off so long after its start; null: it does not.</summary>
    public TimeSpan? PowersOffAfter => Durations.Parse(Label(GuestLabels.PowerOffAfter));

    public TimeSpan UnplugAcknowledge => timings.UnplugAcknowledge;

    /// <summary>Memory that the guest writes to, in MiB per second.</summary>
    public double DirtyMiBPerSecond => Number(GuestLabels.DirtyMiBPerSecond) ?? 16;

    /// <summary>The memory over which these writes are spread, in MiB.</summary>
    public double WorkingSetMiB => Number(GuestLabels.WorkingSetMiB) ?? 256;

    /// <summary>How the VMM runs the guest's kernel.</summary>
    public Virtualization Virtualization => Label(GuestLabels.Virtualization) switch
    {
        "binary-translation" => Virtualization.BinaryTranslation,
        "paravirtual" => Virtualization.Paravirtual,
        "trap-and-emulate" => Virtualization.TrapAndEmulate,
        _ => Virtualization.Hardware,
    };

    /// <summary>Whether a converged copy waits before its switch-over until it is told to go.</summary>
    public bool HoldsBeforeSwitchOver => Label(GuestLabels.Hold) != "none";

    /// <summary>How the guest's memory is virtualized: as its labels say, else with pages as large as those that it was given.</summary>
    public PagingOptions PagingFor(HugepageSize given) => new(
        Label(GuestLabels.Paging) == "shadow" ? PagingKind.Shadow : PagingKind.Ept,
        Label(GuestLabels.HugePages) switch
        {
            "none" => 1,
            "2MiB" => 2,
            "1GiB" => 3,
            _ => given switch { HugepageSize.Size1GiB => 3, HugepageSize.Size2MiB => 2, _ => 1 },
        },
        Label(GuestLabels.Tlb) == "untagged" ? TlbTagging.None : TlbTagging.VmAndProcess);

    /// <summary>Memory that holds something, in MiB; null: all of it, as of a guest that has run long enough to have cached files everywhere.</summary>
    public double? UsedMiB => Number(GuestLabels.UsedMiB);

    public CrashPoint? CrashesTargetAt => HostLabels.ParseCrashPoint(Label(GuestLabels.CrashTargetAt));

    public CrashPoint? CrashesSourceAt => HostLabels.ParseCrashPoint(Label(GuestLabels.CrashSourceAt));

    /// <summary>A label for one device comes before the one for all.</summary>
    public UnplugHabit UnplugOf(string device) =>
        UnplugHabit.Parse(Label($"{GuestLabels.Unplug}.{device}")) ?? UnplugHabit.Parse(Label(GuestLabels.Unplug)) ?? UnplugHabit.Prompt;

    /// <summary>How the frames of an interface pass; a label for one interface comes before the one for all.</summary>
    public NicWay NicOf(string networkInterface) => (Label($"{GuestLabels.Nic}.{networkInterface}") ?? Label(GuestLabels.Nic)) switch
    {
        "e1000" => NicWay.E1000,
        "xen" => NicWay.Xen,
        "vmdq" => NicWay.Vmdq,
        "self-virtualized" => NicWay.SelfVirtualized,
        _ => NicWay.Virtio,
    };

    /// <summary>What the guest sends by itself; null: nothing.</summary>
    public TrafficPattern? Traffic { get; } = TrafficPattern.Parse(labels.GetValueOrDefault(GuestLabels.Traffic));

    /// <summary>Whether its NICs cut and join large TCP frames for it.</summary>
    public bool Offloads => Label(GuestLabels.Offload) != "off";

    /// <summary>Queue pairs that its driver asks a function for.</summary>
    public int Queues => Number(GuestLabels.Queues) is { } queues and >= 1 and <= 64 ? (int)queues : 1;

    /// <summary>Whether its driver asks to receive every frame.</summary>
    public bool IsPromiscuous => Label(GuestLabels.Promiscuous) == "on";

    /// <summary>An address that the guest sets by itself; null: it keeps the one that it was given.</summary>
    public MacAddress? OwnMac => MacAddress.TryParse(Label(GuestLabels.OwnMac), out var mac) ? mac : null;

    /// <summary>Requests of 4 KiB that the guest's programs make of its first disk; 0: none.</summary>
    public int DiskRequestsPerSecond => Number(GuestLabels.DiskIo) is { } rate and >= 1 and <= 100_000 ? (int)rate : 0;

    /// <summary>What its programs print; null: nothing.</summary>
    public PrintPattern? Prints => PrintPattern.Parse(Label(GuestLabels.Print));

    /// <summary>The mediated devices that it is given, by name; the one without a name of its own is <c>mediated</c>.</summary>
    public IReadOnlyList<MediatedRequest> Mediated { get; } =
    [
        .. labels.Where(l => l.Key == GuestLabels.Mediated || l.Key.StartsWith($"{GuestLabels.Mediated}.", StringComparison.Ordinal))
            .Select(l => new MediatedRequest(l.Key == GuestLabels.Mediated ? "mediated" : l.Key[(GuestLabels.Mediated.Length + 1)..], l.Value))
            .OrderBy(r => r.Name, StringComparer.Ordinal),
    ];

    /// <summary>Framebuffer that its programs allocate on each mediated device.</summary>
    public long FramebufferMiB => Number(GuestLabels.FramebufferMiB) is { } mib and >= 1 and <= 1 << 20 ? (long)mib : 256;

    /// <summary>The USB device that it is to have; null: none.</summary>
    public UsbWish? Usb => UsbWish.Parse(Label(GuestLabels.Usb));

    private string? Label(string name) => labels.GetValueOrDefault(name);

    private double? Number(string name) => GuestLabelForms.Number(Label(name));
}
