using ControlPlane.Domain;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>What can be amiss between the database, the hypervisors and the hosts' devices.</summary>
internal enum FindingKind
{
    /// <summary>A host has a domain of a VM that does not exist.</summary>
    UnknownDomain,

    /// <summary>A host has a domain of a VM that is recorded on another host, or on none.</summary>
    StrayDomain,

    /// <summary>A VM does not run where it is recorded, but was seen to run on another host.</summary>
    MisplacedGuest,

    /// <summary>A VM is recorded as running or paused, and its guest is off.</summary>
    GuestOff,

    /// <summary>A VM is recorded as running, and its guest is paused.</summary>
    GuestPaused,

    /// <summary>A VM is recorded as paused, and its guest runs.</summary>
    GuestResumed,

    /// <summary>A VM is recorded as stopped, and its guest runs.</summary>
    GuestRuns,

    /// <summary>A device is in the name of a VM that has no use for it.</summary>
    StrayDevice,

    /// <summary>A device has been being cleaned for nobody, and nobody cleans it.</summary>
    UnfinishedCleaning,

    /// <summary>A device was withheld from guests for an operation that is over.</summary>
    WithheldDevice,

    /// <summary>A host holds a device for a guest that is nobody's in the database.</summary>
    BoundDevice,

    /// <summary>A host has seen a generation of a device that the database has never given out.</summary>
    UnknownGeneration,

    /// <summary>A VM lists a device that is not its own.</summary>
    LostDevice,

    /// <summary>A device of a running VM is not in its guest.</summary>
    MissingDevice,

    /// <summary>A device that a VM is recorded to be without is in its guest.</summary>
    ReturnedDevice,

    /// <summary>A VM holds a part of a host that it is not on.</summary>
    StrayAllocation,

    /// <summary>A VM holds nothing of the host that it is on, so what it uses may be sold again.</summary>
    MissingAllocation,

    /// <summary>A VM is in the hands of an operation that nothing carries on.</summary>
    AbandonedVm,

    /// <summary>An operation counts as running, and nothing carries it on.</summary>
    AbandonedOperation,

    /// <summary>A migration counts as under way although its operation is over.</summary>
    AbandonedMigration,

    /// <summary>A MAC address is taken for an interface that its VM does not have.</summary>
    StrayMac,
}

/// <summary>Something that was amiss, and what was done about it.</summary>
/// <param name="Subject">What it is about, unique per kind and host: a VM's id, or a device's address.</param>
/// <param name="Detail">What was seen, for people.</param>
/// <param name="Outcome">What was done; or why it was left alone.</param>
/// <param name="Repaired">False: it is still so, and will be looked at again.</param>
internal sealed record AuditFinding(FindingKind Kind, HostId? Host, string Subject, string Detail, string Outcome, bool Repaired);
