using ControlPlane.Domain;

namespace ControlPlane.Persistence.Records;

/// <summary>An amount of what quotas count: what one VM takes, or what a project's VMs hold together.</summary>
public sealed record QuotaAmount(int Vms, int Vcpus, long MemoryMiB, IReadOnlyDictionary<PoolId, int> DevicesByPool);

internal sealed record ProjectUsageRow(ProjectId ProjectId, int Vms, int Vcpus, long MemoryMiB);

internal sealed record ProjectDeviceUsageRow(ProjectId ProjectId, PoolId PoolId, int Devices);

/// <summary>The last batch that a writer committed: how a commit whose answer was lost is told from one that did not happen.</summary>
internal sealed record WriterRow(Guid Id, long Batch, DateTimeOffset At);
