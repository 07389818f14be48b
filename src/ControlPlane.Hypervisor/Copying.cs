using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;

namespace ControlPlane.Hypervisor;

/// <summary>Where the source's VMM sends to.</summary>
public sealed record IncomingMigration(HostId Target, string Uri);

/// <param name="BandwidthMiBPerSecond">Null: what the link gives.</param>
/// <param name="DowntimeLimit">The switch-over may begin once what is left takes no longer than this.</param>
/// <param name="AutoConverge">Slow the guest's CPUs down when it dirties pages faster than they are copied.</param>
public sealed record CopyOptions(MigrationMode Mode, long? BandwidthMiBPerSecond, TimeSpan DowntimeLimit, bool AutoConverge);

/// <summary>A copy that somebody thinks of.</summary>
/// <param name="BandwidthMiBPerSecond">Null: what the link gives.</param>
/// <param name="TravellingDevices">Names of devices whose state would travel; all others would be unplugged before.</param>
public sealed record CopyIntent(HostId Target, long? BandwidthMiBPerSecond, IReadOnlyCollection<string> TravellingDevices);

public enum CopyPhase
{
    None,
    Copying,

    /// <summary>Converged; the VMM holds, the guest still runs on the source.</summary>
    HoldingBeforeSwitchOver,
    Completed,
    Failed,
    Aborted,
}

/// <param name="Passes">Rounds over dirty memory, the first one over all of it.</param>
/// <param name="BytesTotal">The guest's memory.</param>
/// <param name="BytesTransferred">What was sent. A VMM may only mention pages of zeros, so all of a guest may be less than its memory.</param>
/// <param name="BytesRemaining">Still dirty.</param>
/// <param name="DirtyMiBPerSecond">Of the last pass.</param>
/// <param name="Downtime">Once completed: for how long no virtual CPU ran.</param>
public sealed record CopyProgress(
    CopyPhase Phase, int Passes, long BytesTotal, long BytesTransferred, long BytesRemaining, double DirtyMiBPerSecond,
    TimeSpan? Downtime, string? Error)
{
    public static readonly CopyProgress NotKnown = new(CopyPhase.None, 0, 0, 0, 0, 0, null, null);
}

/// <summary>Faults of a migration that its caller acts upon, and not only reports.</summary>
public static class MigrationFaults
{
    /// <summary>The code of <see cref="AlreadySwitched"/>.</summary>
    public const string AlreadySwitchedCode = "already-switched";

    /// <summary>
    /// The code of a fault of <see cref="IMigrationPort.SwitchOverAsync"/>: a VMM that cannot hold has let the guest go, and it writes too much to go over
    /// within the downtime it is allowed. It runs on the source until it is called again with more, or the copy is aborted.
    /// </summary>
    public const string SwitchOverPendingCode = "switch-over-pending";

    /// <summary>The copy cannot be stopped any more: the guest has gone over.</summary>
    public static Fault AlreadySwitched(DomainRef domain) => Fault.Conflict(AlreadySwitchedCode, $"VM {domain.Vm} runs on the target already.");
}

/// <summary>A migration in post-copy: the guest runs on the target and still needs memory of the source.</summary>
public static class PostCopy
{
    /// <summary>
    /// The code of a fault of <see cref="IMigrationPort.SwitchOverAsync"/>: the way between the hosts broke, and neither can run the guest alone. It is no answer to
    /// where the guest is; the call is repeated until the rest has come over.
    /// </summary>
    public const string Interrupted = "post-copy-interrupted";
}

public enum SwitchOverResult
{
    OnTarget,
    StayedOnSource,
}

/// <summary>The longest time between two probe frames that reached the guest through one interface.</summary>
/// <param name="Probes">Frames sent at the interface in that window; 0: nothing was measured.</param>
public sealed record InterfaceGap(string Interface, TimeSpan Longest, int Probes, int Lost);
