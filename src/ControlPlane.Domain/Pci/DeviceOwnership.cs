namespace ControlPlane.Domain.Pci;

/// <summary>free -> reserved -> attached -> draining -> cleaning -> free | quarantined. See <see cref="DeviceOwnership"/>.</summary>
public enum DeviceState
{
    Free,

    /// <summary>Promised to a VM; nothing was done on the host yet, so it may go straight back to free.</summary>
    Reserved,

    /// <summary>Handed to its owner: from here only a proof makes it free.</summary>
    Attached,

    /// <summary>The owner is letting go; the VMM may still hold it open.</summary>
    Draining,

    /// <summary>Being reset and read back.</summary>
    Cleaning,

    /// <summary>A proof failed; held back with the reason until an operator releases it, which cleans it again.</summary>
    Quarantined,

    /// <summary>Used by the host itself: never assignable.</summary>
    Host,
}

/// <summary>Who holds a device: the VM and the name the VM gives it (an interface's or a device request's).</summary>
/// <param name="Companion">Held only because it shares the IOMMU group of a device that the VM uses; the guest does not see it.</param>
public sealed record DeviceOwner(VmId Vm, string Name, bool Companion = false);

/// <summary>What may be asked of a device's ownership.</summary>
public abstract record DeviceCommand
{
    public sealed record Reserve(DeviceOwner Owner) : DeviceCommand;

    /// <summary>Undo of a reservation that never touched the host.</summary>
    public sealed record Release(VmId Vm, Generation Generation) : DeviceCommand;

    public sealed record Attach(VmId Vm, Generation Generation) : DeviceCommand;

    public sealed record Drain(VmId Vm, Generation Generation) : DeviceCommand;

    public sealed record Clean(VmId Vm, Generation Generation) : DeviceCommand;

    /// <summary>The proof held: VMM closed, reset done, settings read back, driver as wanted.</summary>
    public sealed record ProveClean(Generation Generation) : DeviceCommand;

    /// <summary>A proof failed, or a device that should be free was found to be not clean.</summary>
    public sealed record Quarantine(Generation Generation, string Reason) : DeviceCommand;

    /// <summary>An operator asks to try the proof again.</summary>
    public sealed record ReleaseQuarantine : DeviceCommand;

    /// <summary>The host keeps the device for itself.</summary>
    public sealed record TakeForHost : DeviceCommand;

    /// <summary>The host gives it up for guests.</summary>
    public sealed record GiveToGuests : DeviceCommand;
}

/// <summary>
/// The position of one device in its ownership. The generation grows with every new owner and fences the old one: a command that
/// carries another generation than the present one is a conflict, whatever the state.
/// </summary>
public sealed record DeviceOwnership(DeviceState State, DeviceOwner? Owner, Generation Generation, string? QuarantineReason = null)
{
    public static readonly DeviceOwnership HeldByHost = new(DeviceState.Host, null, Generation.None);

    public static readonly DeviceOwnership Unowned = new(DeviceState.Free, null, Generation.None);

    /// <summary>Every legal move is a row here. A replayed command changes nothing; any other move is a conflict.</summary>
    public Outcome<DeviceOwnership> Apply(DeviceCommand command) => (State, command) switch
    {
        (DeviceState.Free, DeviceCommand.Reserve c) => this with { State = DeviceState.Reserved, Owner = c.Owner, Generation = Generation.Next() },
        (DeviceState.Reserved, DeviceCommand.Release c) when Is(c.Vm, c.Generation) => this with { State = DeviceState.Free, Owner = null },
        (DeviceState.Reserved, DeviceCommand.Attach c) when Is(c.Vm, c.Generation) => this with { State = DeviceState.Attached },
        (DeviceState.Reserved or DeviceState.Attached, DeviceCommand.Drain c) when Is(c.Vm, c.Generation) => this with { State = DeviceState.Draining },
        (DeviceState.Draining, DeviceCommand.Clean c) when Is(c.Vm, c.Generation) => this with { State = DeviceState.Cleaning },
        (DeviceState.Cleaning, DeviceCommand.ProveClean c) when c.Generation == Generation => this with { State = DeviceState.Free, Owner = null, QuarantineReason = null },
        (DeviceState.Free or DeviceState.Draining or DeviceState.Cleaning, DeviceCommand.Quarantine c) when c.Generation == Generation => this with { State = DeviceState.Quarantined, Owner = null, QuarantineReason = c.Reason },
        (DeviceState.Quarantined, DeviceCommand.ReleaseQuarantine) => this with { State = DeviceState.Cleaning, Generation = Generation.Next() },
        (DeviceState.Free, DeviceCommand.TakeForHost) => this with { State = DeviceState.Host },
        (DeviceState.Host, DeviceCommand.GiveToGuests) => this with { State = DeviceState.Free },

        (DeviceState.Reserved, DeviceCommand.Reserve c) when Owner == c.Owner => this,
        (DeviceState.Attached, DeviceCommand.Attach c) when Is(c.Vm, c.Generation) => this,
        (DeviceState.Draining, DeviceCommand.Drain c) when Is(c.Vm, c.Generation) => this,
        (DeviceState.Cleaning, DeviceCommand.Clean c) when Is(c.Vm, c.Generation) => this,
        (DeviceState.Free, DeviceCommand.Release c) when c.Generation == Generation => this,
        (DeviceState.Free, DeviceCommand.ProveClean c) when c.Generation == Generation => this,
        (DeviceState.Quarantined, DeviceCommand.Quarantine c) when c.Generation == Generation => this,
        (DeviceState.Cleaning, DeviceCommand.ReleaseQuarantine) when Owner is null => this,
        (DeviceState.Host, DeviceCommand.TakeForHost) => this,
        (DeviceState.Free, DeviceCommand.GiveToGuests) => this,

        _ => Fault.Conflict("device-state", $"The device is {Describe()}; it cannot take '{command}'."),
    };

    private bool Is(VmId vm, Generation generation) => Owner?.Vm == vm && Generation == generation;

    private string Describe() =>
        Owner is null ? $"{State} at generation {Generation}" : $"{State} for VM {Owner.Vm} at generation {Generation}";
}
