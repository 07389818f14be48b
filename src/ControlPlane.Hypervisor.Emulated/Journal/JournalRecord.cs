using System.Text.Json.Serialization;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Journal;

/// <summary>
/// One line of a host's journal: what something is from now on, not what was done to it. The last line about a thing counts, so a journal
/// that ends anywhere gives a state that the host really was in.
/// </summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "k")]
[JsonDerivedType(typeof(DomainIs), "domain")]
[JsonDerivedType(typeof(PowerIs), "power")]
[JsonDerivedType(typeof(DomainGone), "gone")]
[JsonDerivedType(typeof(EpochSeen), "epoch")]
[JsonDerivedType(typeof(DeviceIs), "device")]
[JsonDerivedType(typeof(VirtualFunctionsAre), "vfs")]
[JsonDerivedType(typeof(HostDied), "died")]
[JsonDerivedType(typeof(SwitchedOver), "switched")]
internal abstract record JournalRecord
{
    /// <summary>A domain with all that is known of it.</summary>
    public sealed record DomainIs(DomainDefinition Definition, DomainState State, DateTimeOffset StartedAt, Generation? RebootedAtEpoch) : JournalRecord;

    /// <summary>A known domain was started, stopped, paused or rebooted: its definition is as before.</summary>
    public sealed record PowerIs(VmId Vm, DomainState State, DateTimeOffset StartedAt, Generation? RebootedAtEpoch) : JournalRecord;

    public sealed record DomainGone(VmId Vm) : JournalRecord;

    public sealed record EpochSeen(VmId Vm, Generation Epoch) : JournalRecord;

    /// <param name="Closed">The device was cleaned under this generation.</param>
    /// <param name="Owner">Null: nobody's.</param>
    public sealed record DeviceIs(PciAddress Address, Generation Generation, bool Closed, VmId? Owner, DeviceSettings Settings) : JournalRecord;

    public sealed record VirtualFunctionsAre(PciAddress PhysicalFunction, int Count) : JournalRecord;

    /// <summary>The host went down with all its guests.</summary>
    public sealed record HostDied : JournalRecord;

    /// <summary>The host's part of a switch-over of the fleet's journal is in its own journal from here on.</summary>
    public sealed record SwitchedOver(long Number, VmId Vm, bool AsSource) : JournalRecord;
}
