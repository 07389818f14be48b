using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Hypervisor;

/// <summary>A VM as a host knows it.</summary>
/// <param name="Epoch">The VM's generation when the operation under way was accepted: an older operation's late action is refused.</param>
public readonly record struct DomainRef(VmId Vm, Generation Epoch);

/// <summary>All that a host needs to make a domain.</summary>
/// <param name="Name">For people; the id is what counts.</param>
/// <param name="Labels">The VM's labels: the emulated backend reads its guest's behaviour and faults from them.</param>
public sealed record DomainDefinition(
    DomainRef Ref, string Name, int Vcpus, long MemoryMiB, HugepageSize Hugepages, string Image, IReadOnlyList<DiskSpec> Disks,
    IReadOnlyList<DomainInterface> Interfaces, IReadOnlyList<DomainDevice> Devices, IReadOnlyDictionary<string, string> Labels);

/// <summary>A paravirtual interface of the guest: the interface itself, or the standby of a failover pair.</summary>
public sealed record DomainInterface(string Name, MacAddress Mac, string Network, int? Vlan, int? Mtu, bool Standby, bool LinkUp, PciAddress GuestAddress);

/// <summary>A function of the host inside the guest.</summary>
/// <param name="Name">Unique in the domain: an interface's name, or a device request's.</param>
/// <param name="Settings">For a virtual function that serves an interface: its MAC, VLAN and rights; <see cref="DeviceSettings.None"/> otherwise.</param>
public sealed record DomainDevice(string Name, DeviceClaim Claim, PciAddress GuestAddress, DeviceSettings Settings);

/// <summary>What the physical function enforces for a virtual one (<c>ip link set PF vf N …</c>).</summary>
/// <param name="MaxTxRateMbps">Mbit/s; 0: unlimited.</param>
public sealed record DeviceSettings(MacAddress? Mac, int? Vlan, string? Network, bool Trust, bool SpoofCheck, int MinTxRateMbps, int MaxTxRateMbps)
{
    public static readonly DeviceSettings None = new(null, null, null, false, true, 0, 0);
}

/// <summary>What was seen when a device was cleaned; it is clean only if everything is as it should be.</summary>
/// <param name="VmmClosed">No process holds <c>/dev/vfio/N</c> open.</param>
/// <param name="Reset">The reset that was done; null: none could be.</param>
/// <param name="ResetError">Why the reset failed; null: it did not.</param>
/// <param name="ReadBack">MAC, VLAN, trust and rate as read after clearing them.</param>
/// <param name="Driver">The driver bound at the end; null: none.</param>
public sealed record CleanProof(
    bool VmmClosed, ResetMethod? Reset, string? ResetError, DeviceSettings ReadBack, string? Driver, string? DriverWanted)
{
    /// <summary>Null when the device is proven clean; otherwise the sentence that stands as the reason of its quarantine.</summary>
    public string? Failing() =>
        !VmmClosed ? "a VMM still holds it open"
        : ResetError is not null ? $"reset failed: {ResetError}"
        : Reset is null ? "it has no working reset"
        : ReadBack with { Network = null } != DeviceSettings.None ? $"settings of the last owner are still there: {ReadBack}"
        : Driver != DriverWanted ? $"driver is '{Driver ?? "none"}', wanted '{DriverWanted ?? "none"}'"
        : null;
}

/// <summary>What becomes of a VM's disks when a host forgets its domain.</summary>
public enum DiskFate
{
    /// <summary>The VM lives elsewhere, and what looks like this host's disks may be storage that it shares with the VM's home.</summary>
    Keep,

    /// <summary>The VM is gone for good.</summary>
    Delete,
}

public enum DomainState
{
    Off,
    Running,
    Paused,

    /// <summary>Listening for a migration; its virtual CPUs have never run here.</summary>
    Incoming,
}

/// <summary>A domain as its host reports it.</summary>
public sealed record DomainStatus(DomainRef Ref, string Name, DomainState State, IReadOnlyList<PluggedDevice> Devices, IReadOnlyList<DomainInterface> Interfaces);

/// <summary>A device in a domain, as the host reports it.</summary>
public sealed record PluggedDevice(string Name, DeviceClaim Claim, PciAddress GuestAddress, MacAddress? Mac);

/// <summary>A device that the host holds ready for a guest or that is in one.</summary>
public sealed record DeviceStatus(DeviceClaim Claim, VmId? Owner, string? Driver, DeviceSettings Settings, bool HeldOpen);

public enum UnplugResult
{
    /// <summary>The guest acknowledged, and the VMM has closed the device.</summary>
    Unplugged,

    /// <summary>The guest said no.</summary>
    Refused,

    /// <summary>The guest said nothing until the deadline.</summary>
    TimedOut,
}

/// <summary>Something that happened on a host without being asked for.</summary>
public abstract record HypervisorEvent(DateTimeOffset At)
{
    public sealed record DomainChanged(VmId Vm, DomainState State, string Reason, DateTimeOffset At) : HypervisorEvent(At);

    public sealed record DeviceGone(VmId Vm, string DeviceName, DateTimeOffset At) : HypervisorEvent(At);

    /// <summary>The copy reached another phase: the saga that waits for it is woken.</summary>
    public sealed record CopyChanged(VmId Vm, CopyPhase Phase, DateTimeOffset At) : HypervisorEvent(At);

    /// <summary>The set of PCI functions changed.</summary>
    public sealed record InventoryChanged(DateTimeOffset At) : HypervisorEvent(At);
}
