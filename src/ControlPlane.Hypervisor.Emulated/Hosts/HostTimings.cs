using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>How long a host's own work takes.</summary>
/// <param name="Define">libvirt's writing of a definition.</param>
/// <param name="Start">Starting a VMM until its virtual CPUs run.</param>
/// <param name="Bind">Unbinding one driver and binding another.</param>
/// <param name="Reset">A reset, with the wait for the function to answer.</param>
/// <param name="CreateVirtualFunctions">Writing <c>sriov_numvfs</c>, for each function that comes or goes.</param>
/// <param name="Close">From the end of a VMM until the kernel has closed its devices.</param>
/// <param name="Plug">The VMM's part of a hot-plug.</param>
public sealed record HostTimings(TimeSpan Define, TimeSpan Start, TimeSpan Bind, TimeSpan Reset, TimeSpan CreateVirtualFunctions, TimeSpan Close,
    TimeSpan Plug)
{
    public static readonly HostTimings Realistic = new(
        TimeSpan.FromMilliseconds(10), TimeSpan.FromMilliseconds(250), TimeSpan.FromMilliseconds(40), TimeSpan.FromMilliseconds(110),
        TimeSpan.FromMilliseconds(25), TimeSpan.FromMilliseconds(30), TimeSpan.FromMilliseconds(60));

    public static readonly HostTimings Instant = new(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
}

/// <summary>What a host and its guests take from the options.</summary>
internal sealed record EmulationTimings(GuestTimings Guest, HostTimings Host, TimeSpan CloseTimeout, ulong Seed);
