using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Domain.Migrations;

public enum MigrationState
{
    Planned,
    Running,
    Succeeded,

    /// <summary>The VM runs on the source with all its devices, as before.</summary>
    RolledBack,
    Cancelled,
    Stuck,
}

/// <summary>How one device comes along.</summary>
public enum DeviceMethod
{
    /// <summary>Its state travels with the VM (VFIO migration version 2): same model and firmware on both ends.</summary>
    Vfio,

    /// <summary>Unplugged and replugged; its virtio standby carries the traffic in between.</summary>
    Failover,

    /// <summary>Unplugged and replugged; the guest is without it in between.</summary>
    Replug,

    /// <summary>Cannot travel: the migration is refused.</summary>
    Refuse,
}

public enum MigrationMode
{
    PreCopy,
    PostCopy,
}

/// <summary>What the caller wants of a migration.</summary>
/// <param name="DeviceMethod">Null: the best one each device can do (auto).</param>
/// <param name="MaxInterfaceGap">The budget for each interface; null: any. The estimate is compared with it before the start.</param>
public sealed record MigrationRequest(
    HostId? Target, MigrationMode Mode, long? BandwidthMiBPerSecond, TimeSpan DowntimeLimit, TimeSpan Timeout, DeviceMethod? DeviceMethod,
    TimeSpan UnplugTimeout, TimeSpan? MaxInterfaceGap, bool DryRun)
{
    public static readonly MigrationRequest Default = new(
        null, MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), TimeSpan.FromSeconds(600), null, TimeSpan.FromSeconds(30), null, false);
}

/// <summary>One device's journey.</summary>
/// <param name="Gap">How long no frame reached the guest through this interface, measured; null for devices that carry no traffic.</param>
public sealed record MigratedDevice(
    string Name, DeviceMethod Method, PciAddress SourceAddress, PciAddress? TargetAddress, PciAddress GuestAddressBefore,
    PciAddress? GuestAddressAfter, MacAddress? MacBefore, MacAddress? MacAfter, TimeSpan? Unplug, TimeSpan? Replug, TimeSpan? Gap);

/// <summary>What went over the wire.</summary>
public sealed record MigrationTransfer(int Passes, long BytesTotal, long BytesTransferred, double DirtyMiBPerSecond, TimeSpan? Downtime)
{
    public static readonly MigrationTransfer None = new(0, 0, 0, 0, null);
}

/// <summary>What was predicted before the start, from the history of such devices and guests.</summary>
public sealed record MigrationEstimate(TimeSpan Downtime, IReadOnlyDictionary<string, TimeSpan> GapByDevice, TimeSpan Total);

/// <summary>
/// A VM's move from one host to another. Its phases are the steps of the saga of the same operation; only what the log does not
/// hold is stored here.
/// </summary>
public sealed record Migration(
    MigrationId Id, VmId Vm, ProjectId Project, HostId Source, HostId? Target, MigrationState State, OperationId Operation,
    MigrationRequest Request, IReadOnlyList<MigratedDevice> Devices, MigrationTransfer Transfer, MigrationEstimate? Estimate, string? Failure,
    Generation Generation, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt);
