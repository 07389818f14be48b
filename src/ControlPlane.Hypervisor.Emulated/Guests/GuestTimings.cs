namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>How long a guest's own work takes.</summary>
/// <param name="Boot">From the first instruction until hot-plug events and ACPI requests are heard.</param>
/// <param name="UnplugAcknowledge">From the attention button until the guest has powered the slot off.</param>
/// <param name="Shutdown">From the ACPI power button until the guest is off.</param>
/// <param name="DriverProbe">From the appearance of a function until its driver has a link: most of the outage of a plain replug.</param>
/// <param name="PathChange">From the loss or arrival of a failover pair's function until traffic takes the other way.</param>
public sealed record GuestTimings(TimeSpan Boot, TimeSpan UnplugAcknowledge, TimeSpan Shutdown, TimeSpan DriverProbe, TimeSpan PathChange)
{
    /// <summary>What a small Linux guest on a recent server shows.</summary>
    public static readonly GuestTimings Realistic = new(
        TimeSpan.FromSeconds(3), TimeSpan.FromMilliseconds(350), TimeSpan.FromSeconds(2), TimeSpan.FromMilliseconds(600), TimeSpan.FromMilliseconds(4));

    /// <summary>Everything is done at once.</summary>
    public static readonly GuestTimings Instant = new(TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero, TimeSpan.Zero);
}
