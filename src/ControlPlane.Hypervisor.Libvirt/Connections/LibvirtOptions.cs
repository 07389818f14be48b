using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Connections;

/// <summary>How patient the backend is with its hosts.</summary>
public sealed record LibvirtOptions
{
    /// <summary>How long one try to reach a host's libvirt may take.</summary>
    public TimeSpan OpenTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whole seconds of silence after which the daemon is asked whether it is there.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many of these may stay unanswered before the host counts as lost.</summary>
    public int KeepAliveCount { get; init; } = 3;

    /// <summary>The longest pause between two tries to reach a lost host; the first ones are shorter.</summary>
    public TimeSpan ReconnectPauseMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a VMM that is ending may take to close a device before it counts as one that holds it.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How much of a copy's first pass must be left, in time at the present rate, when whoever decides over the switch-over is asked.</summary>
    public TimeSpan HoldAhead { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How much must be left when a copy is braked because nobody has decided yet.</summary>
    public TimeSpan BrakeAhead { get; init; } = TimeSpan.FromMilliseconds(150);

    /// <summary>
    /// How long a guest that was let go may write too much to go over before whoever decides over it is asked for more downtime: each limit is given
    /// this time at least, and the pass that is under way and the next one to end.
    /// </summary>
    public TimeSpan OutrunTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long one call waits for a guest to go over, once it was let go.</summary>
    public TimeSpan SwitchOverTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// The command that gives a root shell on hosts that are reached neither by SSH nor locally, such as <c>ssh -o BatchMode=yes root@{host}</c>,
    /// as a program with its arguments; what is to be run is added as the last one. Null: such hosts have none, and what libvirt has no call for
    /// (the number of virtual functions, their trust, spoof check and rates) is refused with the command that an operator can run.
    /// </summary>
    public IReadOnlyList<string>? HostShell { get; init; }

    /// <summary>
    /// Whether a host's URI may name the program that libvirt runs in place of ssh. Never where others than the server's own operator add hosts: they
    /// would run programs as the server.
    /// </summary>
    public bool AllowsProgramsInUris { get; init; }

    /// <summary>How often what has no event is looked at.</summary>
    public TimeSpan PollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The oldest libvirt, at both ends, that this backend was made for and is tested with. A host with an older one is refused.</summary>
    public VirVersion OldestLibvirt { get; init; } = new(9, 0, 0);

    /// <summary>The oldest QEMU: from this one on a q35 machine hot-plugs by ACPI what hangs on its root ports.</summary>
    public VirVersion OldestQemu { get; init; } = new(6, 1, 0);
}
