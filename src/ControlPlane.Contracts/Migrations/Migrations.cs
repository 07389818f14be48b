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
/// <param name="DowntimeLimitMilliseconds">The switch-over begins once what is left takes no longer, 1 to 60000.</param>
/// <param name="TimeoutSeconds">Of the copy, 1 to 86400; then it is aborted and the VM runs on at the source.</param>
/// <param name="UnplugTimeoutSeconds">How long the guest may take to let each device go, 1 to 600.</param>
/// <param name="MaxInterfaceGapMilliseconds">Refuses the migration when the estimate is above it; null: any gap.</param>
/// <param name="DryRun">Only answers the plan, as a migration in state <c>planned</c> that is not kept.</param>
public sealed record MigrateVirtualMachineRequest(
    string? TargetHost = null, MigrationMode Mode = MigrationMode.PreCopy, long? BandwidthMiBPerSecond = null,
    int DowntimeLimitMilliseconds = 300, int TimeoutSeconds = 600, DeviceMethod DeviceMethod = DeviceMethod.Auto,
    int UnplugTimeoutSeconds = 30, int? MaxInterfaceGapMilliseconds = null, bool DryRun = false);

/// <summary>One device's journey.</summary>
/// <param name="GapMilliseconds">The longest silence that probe frames met at this interface; null for a device that carries no traffic.</param>
public sealed record MigratedDeviceResponse(
    string Name, DeviceMethod Method, string SourceAddress, string? TargetAddress, string GuestAddressBefore, string? GuestAddressAfter,
    string? MacBefore, string? MacAfter, double? UnplugMilliseconds, double? ReplugMilliseconds, double? GapMilliseconds);

public sealed record MigrationTransferResponse(
    int Passes, long BytesTotal, long BytesTransferred, double DirtyMiBPerSecond, double? DowntimeMilliseconds);

public sealed record MigrationEstimateResponse(
    double DowntimeMilliseconds, IReadOnlyDictionary<string, double> GapMillisecondsByDevice, double TotalSeconds);

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
