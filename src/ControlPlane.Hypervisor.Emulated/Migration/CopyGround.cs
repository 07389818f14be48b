namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>What a copy stands on.</summary>
internal sealed class CopyGround
{
    public required MigrationNetwork Network { get; init; }

    public required WireRoute Route { get; init; }

    /// <summary>The last handshake of a switch-over, beside the bytes that it sends.</summary>
    public required TimeSpan SwitchOverOverhead { get; init; }

    /// <summary>From one host to the other and back.</summary>
    public required TimeSpan RoundTrip { get; init; }

    /// <summary>Makes the guest the target's, at the instant of the switch-over; false: it could not.</summary>
    public required Func<OutgoingCopy, bool> Settle { get; init; }

    /// <summary>Called once when the copy is over, however it ended.</summary>
    public required Action<OutgoingCopy> Ended { get; init; }
}
