using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;

namespace ControlPlane.Contracts;

[JsonConverter(typeof(KebabCaseConverter<MigrationMode>))]
public enum MigrationMode
{
    PreCopy,
    PostCopy,
}

/// <summary>How a device comes along; auto takes the best that each can do.</summary>
[JsonConverter(typeof(KebabCaseConverter<DeviceMethod>))]
public enum DeviceMethod
{
    Auto,
    Vfio,
    Failover,
    Replug,
    Refuse,
}

[JsonConverter(typeof(KebabCaseConverter<MigrationState>))]
public enum MigrationState
{
    Planned,
    Running,
    Succeeded,
    RolledBack,
    Cancelled,
    Stuck,
}

/// <param name="TargetHost">Id or name; null: the scheduler picks.</param>
/// <param name="BandwidthMiBPerSecond">Null: what the link gives.</param>
/// <param name="DowntimeLimitMilliseconds">The switch-over begins once what is left takes no longer.</param>
/// <param name="TimeoutSeconds">Of the copy; then it is aborted and the VM runs on at the source.</param>
/// <param name="UnplugTimeoutSeconds">How long the guest may take to let each device go.</param>
/// <param name="MaxInterfaceGapMilliseconds">Refuses the migration when the estimate is above it; null: any gap.</param>
/// <param name="DryRun">Only answers the plan, as a migration in state <c>planned</c> that is not kept.</param>
public sealed record MigrateVirtualMachineRequest(
    string? TargetHost = null, MigrationMode Mode = MigrationMode.PreCopy,
    [property: Range(1, 1024 * 1024)] long? BandwidthMiBPerSecond = null,
    [property: Range(1, 2_000_000)] int DowntimeLimitMilliseconds = 300,
    [property: Range(1, 7 * 24 * 3600)] int TimeoutSeconds = 600, DeviceMethod DeviceMethod = DeviceMethod.Auto,
    [property: Range(1, 3600)] int UnplugTimeoutSeconds = 30,
    [property: Range(0, 3_600_000)] int? MaxInterfaceGapMilliseconds = null, bool DryRun = false);

/// <summary>One device's journey. Durations are whole milliseconds, rounded up: what was there never shows as nothing.</summary>
/// <param name="GapMilliseconds">The longest silence that probe frames met at this interface; null for a device that carries no traffic.</param>
public sealed record MigratedDeviceResponse(
    string Name, DeviceMethod Method, string SourceAddress, string? TargetAddress, string GuestAddressBefore, string? GuestAddressAfter,
    string? MacBefore, string? MacAfter, long? UnplugMilliseconds, long? ReplugMilliseconds, long? GapMilliseconds);

/// <param name="DowntimeMilliseconds">Null before the switch-over.</param>
public sealed record MigrationTransferResponse(
    int Passes, long BytesTotal, long BytesTransferred, long DirtyMiBPerSecond, long? DowntimeMilliseconds);

public sealed record MigrationEstimateResponse(
    long DowntimeMilliseconds, IReadOnlyDictionary<string, long> GapMillisecondsByDevice, long TotalSeconds);

/// <param name="Vm">The VM's id.</param>
/// <param name="Source">The source host's name.</param>
/// <param name="Target">The target host's name; null before one is chosen.</param>
/// <param name="OperationId">Null for a plan.</param>
/// <param name="Phases">The steps of the migration's operation in order.</param>
/// <param name="Failure">Why it did not succeed; null when it did, or has not ended.</param>
public sealed record MigrationResponse(
    string Id, string Vm, string Project, string Source, string? Target, MigrationState State, string? OperationId,
    IReadOnlyList<MigratedDeviceResponse> Devices, IReadOnlyList<StepResponse> Phases, MigrationTransferResponse Transfer,
    MigrationEstimateResponse? Estimate, string? Failure, DateTimeOffset CreatedAt, DateTimeOffset? EndedAt);
