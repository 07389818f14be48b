using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Mediated;

namespace ControlPlane.Hypervisor.Emulated.Journal;

/// <summary>
/// One line of a host's journal: what something is from now on, not what was done to it. The last line about a thing counts, so a journal
/// that ends anywhere gives a state that the host really was in.
/// </summary>
internal abstract record JournalRecord
{
    /// <summary>A domain with all that is known of it.</summary>
    public sealed record DomainIs(DomainDefinition Definition, DomainState State, DateTimeOffset StartedAt, Generation? RebootedAtEpoch) : JournalRecord
    {
        /// <summary>Where its mediated devices are cut from; null: it has none.</summary>
        public IReadOnlyList<MediatedPlacement>? Mediated { get; init; }
    }

    /// <summary>A known domain was started, stopped, paused or rebooted: its definition is as before.</summary>
    public sealed record PowerIs(VmId Vm, DomainState State, DateTimeOffset StartedAt, Generation? RebootedAtEpoch) : JournalRecord
    {
        /// <summary>Where its mediated devices are cut from; null: it has none.</summary>
        public IReadOnlyList<MediatedPlacement>? Mediated { get; init; }
    }

    public sealed record DomainGone(VmId Vm) : JournalRecord;

    public sealed record EpochSeen(VmId Vm, Generation Epoch) : JournalRecord;

    /// <param name="Closed">The device was cleaned under this generation.</param>
    /// <param name="Bound">It is kept from the host's own driver.</param>
    /// <param name="Owner">Null: nobody's.</param>
    public sealed record DeviceIs(PciAddress Address, Generation Generation, bool Closed, bool Bound, VmId? Owner, DeviceSettings Settings) : JournalRecord;

    public sealed record VirtualFunctionsAre(PciAddress PhysicalFunction, int Count) : JournalRecord;

    /// <param name="Hidden">The functions that this boot hides from the host's drivers, as the label named them.</param>
    public sealed record Booted(string Hidden) : JournalRecord;

    /// <summary>The host went down with all its guests.</summary>
    public sealed record HostDied : JournalRecord;

    /// <summary>The VM left by a switch-over, and so its copy ended.</summary>
    public sealed record Departed(VmId Vm, CopyProgress Ended) : JournalRecord;

    /// <summary>What this host's part of switch-over <paramref name="Number"/> changed stands before this line.</summary>
    public sealed record SwitchedOver(long Number) : JournalRecord;
}

/// <summary>
/// One line of the fleet's own journal: a guest has moved. It is written before the journals of the two hosts, so that the guest is on
/// exactly one of them wherever the process is killed.
/// </summary>
/// <param name="Domain">As it is on the target from then on.</param>
/// <param name="Applied">True in the line that says that both hosts have written down their part.</param>
internal sealed record SwitchOverEntry(long Number, HostId Source, HostId Target, JournalRecord.DomainIs? Domain, CopyProgress? Ended, bool Applied);
