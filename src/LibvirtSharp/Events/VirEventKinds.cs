namespace LibvirtSharp;

/// <summary>Which events a subscription brings.</summary>
[Flags]
public enum VirEventKinds
{
    /// <summary>No event.</summary>
    None = 0,

    /// <summary><see cref="VirDomainLifecycleEvent"/>, C's <c>VIR_DOMAIN_EVENT_ID_LIFECYCLE</c>.</summary>
    DomainLifecycle = 1 << 0,

    /// <summary><see cref="VirDomainRebootEvent"/>, C's <c>VIR_DOMAIN_EVENT_ID_REBOOT</c>.</summary>
    DomainReboot = 1 << 1,

    /// <summary><see cref="VirDeviceAddedEvent"/>, C's <c>VIR_DOMAIN_EVENT_ID_DEVICE_ADDED</c>.</summary>
    DeviceAdded = 1 << 2,

    /// <summary><see cref="VirDeviceRemovedEvent"/>, C's <c>VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED</c>.</summary>
    DeviceRemoved = 1 << 3,

    /// <summary><see cref="VirDeviceRemovalFailedEvent"/>, C's <c>VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED</c>.</summary>
    DeviceRemovalFailed = 1 << 4,

    /// <summary><see cref="VirMigrationIterationEvent"/>, C's <c>VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION</c>.</summary>
    MigrationIteration = 1 << 5,

    /// <summary><see cref="VirJobCompletedEvent"/>, C's <c>VIR_DOMAIN_EVENT_ID_JOB_COMPLETED</c>.</summary>
    JobCompleted = 1 << 6,

    /// <summary><see cref="VirAgentLifecycleEvent"/>, C's <c>VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE</c>.</summary>
    AgentLifecycle = 1 << 7,

    /// <summary><see cref="VirBlockJobEvent"/>, C's <c>VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2</c>.</summary>
    BlockJob = 1 << 8,

    /// <summary><see cref="VirMetadataChangeEvent"/>, C's <c>VIR_DOMAIN_EVENT_ID_METADATA_CHANGE</c>.</summary>
    MetadataChange = 1 << 9,

    /// <summary><see cref="VirNodeDeviceLifecycleEvent"/>, C's <c>VIR_NODE_DEVICE_EVENT_ID_LIFECYCLE</c>.</summary>
    NodeDeviceLifecycle = 1 << 10,

    /// <summary><see cref="VirNodeDeviceUpdateEvent"/>, C's <c>VIR_NODE_DEVICE_EVENT_ID_UPDATE</c>.</summary>
    NodeDeviceUpdate = 1 << 11,

    /// <summary>Every event of domains.</summary>
    AllOfDomains = (1 << 10) - 1,

    /// <summary>Every event of node devices.</summary>
    AllOfNodeDevices = NodeDeviceLifecycle | NodeDeviceUpdate,

    /// <summary>Every event.</summary>
    All = AllOfDomains | AllOfNodeDevices,
}
