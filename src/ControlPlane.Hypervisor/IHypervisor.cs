using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor;

/// <summary>
/// One host's hypervisor: the port through which the control plane acts. Two backends stand behind it, the emulated one and libvirt;
/// <c>tests/Hypervisor.Specification</c> says in tests what both must do.
/// </summary>
/// <remarks>
/// Every call is safe to repeat: a repeated call that finds its work done answers as the first one did.
/// Every call on a domain carries the VM's <see cref="DomainRef"/>; one whose epoch is older than the newest the host has seen for
/// that VM is refused with code <c>stale-epoch</c>. Every call on a device carries a <see cref="DeviceClaim"/>; one whose generation is
/// older than the newest the host has seen for that address is refused with code <c>stale-generation</c>.
/// Faults are values. <see cref="FaultKind.Unavailable"/> means that the host did not answer and the call may or may not have happened.
/// </remarks>
public interface IHypervisor
{
    HostId Host { get; }

    /// <summary>Cheap sign of life: answers as long as the host does.</summary>
    Task<Outcome<Done>> PingAsync(CancellationToken ct);

    Task<Outcome<HostInventory>> ReadInventoryAsync(CancellationToken ct);

    /// <summary>
    /// Sets the number of virtual functions by Linux's rules for <c>sriov_numvfs</c>: more than the hardware's total is
    /// <c>vf-count-too-large</c>; another count while one is set goes through zero; a function in use refuses with <c>vf-in-use</c>.
    /// Answers the functions that exist now.
    /// </summary>
    Task<Outcome<IReadOnlyList<PciFunction>>> SetVirtualFunctionCountAsync(PciAddress physicalFunction, int count, CancellationToken ct);

    /// <summary>Binds the device to the VFIO driver and writes its settings through the physical function.</summary>
    Task<Outcome<Done>> PrepareDeviceAsync(DeviceClaim claim, VmId owner, DeviceSettings settings, CancellationToken ct);

    /// <summary>
    /// Waits until no VMM holds the device open, resets it, clears and reads back its settings, and gives it its wanted driver. The proof
    /// says what was seen; a failed step is part of the proof and no fault.
    /// </summary>
    Task<Outcome<CleanProof>> CleanDeviceAsync(DeviceClaim claim, CancellationToken ct);

    /// <summary>Makes the domain known and off. Its devices must have been prepared.</summary>
    Task<Outcome<Done>> DefineAsync(DomainDefinition definition, CancellationToken ct);

    /// <summary>Forgets the domain; a running one is refused with <c>domain-running</c>. An unknown one is already forgotten.</summary>
    /// <param name="disks">What becomes of its disks, also when the domain is unknown.</param>
    Task<Outcome<Done>> UndefineAsync(DomainRef domain, DiskFate disks, CancellationToken ct);

    /// <summary>Starts a domain that is off; answers once its virtual CPUs run.</summary>
    Task<Outcome<Done>> StartAsync(DomainRef domain, CancellationToken ct);

    /// <summary>Asks the guest to power off; answers whether it is off within the timeout.</summary>
    Task<Outcome<bool>> ShutdownAsync(DomainRef domain, TimeSpan timeout, CancellationToken ct);

    /// <summary>Pulls the plug; an unknown or stopped domain is already off.</summary>
    Task<Outcome<Done>> DestroyAsync(DomainRef domain, CancellationToken ct);

    Task<Outcome<Done>> RebootAsync(DomainRef domain, CancellationToken ct);

    Task<Outcome<Done>> PauseAsync(DomainRef domain, CancellationToken ct);

    Task<Outcome<Done>> ResumeAsync(DomainRef domain, CancellationToken ct);

    /// <summary>Adds a device to a running or stopped domain at its guest address.</summary>
    Task<Outcome<Done>> PlugAsync(DomainRef domain, DomainDevice device, CancellationToken ct);

    /// <summary>
    /// Asks the guest to let the device go and waits for its acknowledgement until the deadline, which covers the whole device. On
    /// <see cref="UnplugResult.Refused"/> and <see cref="UnplugResult.TimedOut"/> the device is still the guest's.
    /// </summary>
    Task<Outcome<UnplugResult>> UnplugAsync(DomainRef domain, string deviceName, TimeSpan deadline, CancellationToken ct);

    /// <summary>Adds, removes or changes a paravirtual interface.</summary>
    Task<Outcome<Done>> PlugInterfaceAsync(DomainRef domain, DomainInterface networkInterface, CancellationToken ct);

    Task<Outcome<UnplugResult>> UnplugInterfaceAsync(DomainRef domain, string interfaceName, TimeSpan deadline, CancellationToken ct);

    /// <summary>
    /// Sets the link of an interface's virtio standby as the guest sees it. Lowering it waits until the function of the pair, where it has
    /// one, carries the traffic: a guest does not lose its only way.
    /// </summary>
    Task<Outcome<Done>> SetStandbyLinkAsync(DomainRef domain, string interfaceName, bool up, CancellationToken ct);

    /// <summary>Every domain of ours on the host, with what is plugged into it. Domains that are not ours are never listed.</summary>
    Task<Outcome<IReadOnlyList<DomainStatus>>> ListDomainsAsync(CancellationToken ct);

    Task<Outcome<DomainStatus?>> FindDomainAsync(VmId vm, CancellationToken ct);

    /// <summary>Every device that is bound for a guest or carries settings of one, with the newest generation seen for it.</summary>
    Task<Outcome<IReadOnlyList<DeviceStatus>>> ListDevicesAsync(CancellationToken ct);

    /// <summary>The part of a live migration.</summary>
    IMigrationPort Migration { get; }

    IStatisticsPort Statistics { get; }

    /// <summary>
    /// What happens on the host by itself, from now on: a guest that powers off, a device that is gone, a migration that holds. The
    /// stream ends when the host is lost.
    /// </summary>
    IAsyncEnumerable<HypervisorEvent> WatchAsync(CancellationToken ct);
}

/// <summary>Live migration, seen from one of its two hosts.</summary>
public interface IMigrationPort
{
    /// <summary>
    /// Target: makes a VMM listen for the domain. Its devices are those whose state travels (<c>vfio</c>); those that are replugged
    /// later are not in the definition.
    /// </summary>
    Task<Outcome<IncomingMigration>> PrepareIncomingAsync(DomainDefinition definition, CancellationToken ct);

    /// <summary>Target: forgets an incoming domain that never began to run; one that runs is refused with <c>domain-running</c>.</summary>
    Task<Outcome<Done>> DiscardIncomingAsync(DomainRef domain, CancellationToken ct);

    /// <summary>Source: begins to copy in the background and returns. The VMM holds before the switch-over until told.</summary>
    Task<Outcome<Done>> BeginCopyAsync(DomainRef domain, IncomingMigration target, CopyOptions options, CancellationToken ct);

    /// <summary>
    /// Source: changes the downtime that the copy may end with, while it runs. This is how a copy that does not converge is given more
    /// room step by step; without a copy under way it is refused with <c>no-copy</c>.
    /// </summary>
    Task<Outcome<Done>> SetDowntimeLimitAsync(DomainRef domain, TimeSpan limit, CancellationToken ct);

    /// <summary>
    /// Source: where the copy is. With no copy known, the phase is <see cref="CopyPhase.None"/>; so it is when the last one ended under an older epoch
    /// and left the guest here: that was another migration.
    /// </summary>
    Task<Outcome<CopyProgress>> ReadProgressAsync(DomainRef domain, CancellationToken ct);

    /// <summary>Source: stops the copy; the domain runs on here. Refused with <c>already-switched</c> once the target runs.</summary>
    Task<Outcome<Done>> AbortCopyAsync(DomainRef domain, CancellationToken ct);

    /// <summary>
    /// Source: lets the held migration go over, and answers where the guest runs. <see cref="SwitchOverResult.OnTarget"/>: the source's
    /// domain is gone. <see cref="SwitchOverResult.StayedOnSource"/>: the target failed before it ran, and the guest runs on here. Refused
    /// with <c>switch-over-pending</c> where a VMM could not hold and the guest has not gone over yet.
    /// </summary>
    Task<Outcome<SwitchOverResult>> SwitchOverAsync(DomainRef domain, CancellationToken ct);

    /// <summary>
    /// Source: what a copy of the domain would meet if it began now. Null where the backend cannot tell without measuring for
    /// seconds; asking changes nothing.
    /// </summary>
    Task<Outcome<MigrationLoad?>> ReadLoadAsync(DomainRef domain, CopyIntent intent, CancellationToken ct);

    /// <summary>
    /// Either host: for each interface of the domain, the longest silence that probe frames met since the given time. The silence of a
    /// function that was just plugged is measured to its end: the answer waits for its driver.
    /// </summary>
    Task<Outcome<IReadOnlyList<InterfaceGap>>> MeasureGapsAsync(DomainRef domain, DateTimeOffset since, CancellationToken ct);
}

/// <summary>Finds the hypervisor of a host. Adding a host opens one, removing it closes it.</summary>
public interface IHypervisorFleet
{
    /// <summary>The hypervisor of a host, opened when it is not open yet; a fault when its backend is unknown or does not answer.</summary>
    ValueTask<Outcome<IHypervisor>> OpenAsync(Host host, CancellationToken ct);

    /// <summary>Which of a VM's labels are addressed to a backend that cannot read them; those that are nobody's are the user's own.</summary>
    IEnumerable<UnreadableLabel> CheckGuestLabels(IReadOnlyDictionary<string, string> labels);

    /// <summary>Closes the connection; with <paramref name="forget"/> an emulated host ceases to exist.</summary>
    ValueTask CloseAsync(HostId host, bool forget, CancellationToken ct);
}

/// <summary>A label of a VM that a backend heeds and cannot read.</summary>
/// <param name="Why">What it must be, as the end of a sentence that begins with the label.</param>
public sealed record UnreadableLabel(string Key, string Why);
