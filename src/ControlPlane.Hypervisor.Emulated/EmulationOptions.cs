using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;

namespace ControlPlane.Hypervisor.Emulated;

/// <summary>How an emulated fleet behaves where no label says otherwise.</summary>
public sealed record EmulationOptions
{
    /// <summary>Everything that is drawn at random follows from it: one seed, one course of events.</summary>
    public ulong Seed { get; init; } = 1;

    public GuestTimings Guest { get; init; } = GuestTimings.Realistic;

    public HostTimings Host { get; init; } = HostTimings.Realistic;

    /// <summary>A host's link, which its migrations share, in MiB per second. 1150 is what 10 Gbit/s leave.</summary>
    public double LinkMiBPerSecond { get; init; } = 1150;

    /// <summary>What one channel of a migration carries at most, in MiB per second: a thread that copies into a connection is one CPU.</summary>
    public double ChannelMiBPerSecond { get; init; } = 2500;

    /// <summary>Between two hosts: what a fault of post-copy waits beside the page itself.</summary>
    public TimeSpan RoundTrip { get; init; } = TimeSpan.FromMicroseconds(100);

    /// <summary>The last handshake of a switch-over, beside the memory and the device state that are left.</summary>
    public TimeSpan SwitchOverOverhead { get; init; } = TimeSpan.FromMilliseconds(12);

    /// <summary>Distance between the probe frames that travel to a guest while it is being migrated: what a gap is measured in.</summary>
    public TimeSpan ProbeInterval { get; init; } = TimeSpan.FromMilliseconds(1);

    /// <summary>Probing goes on so long after a migration's last event.</summary>
    public TimeSpan ProbeLinger { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long cleaning waits for a VMM to close a device.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Where hosts keep their journals, so that they outlive the process; null: in memory only.</summary>
    public string? JournalDirectory { get; init; }

    /// <summary>Nothing takes time but the copying of memory: for benchmarks and tests that measure something else.</summary>
    public static readonly EmulationOptions Fast = new() { Guest = GuestTimings.Instant, Host = HostTimings.Instant };
}
