namespace LibvirtSharp;

/// <summary>The kinds of events of domains. Stands for C's <c>virDomainEventID</c>.</summary>
public enum VirDomainEventId
{
    /// <summary><c>VIR_DOMAIN_EVENT_ID_LIFECYCLE</c>.</summary>
    Lifecycle = 0,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_REBOOT</c>.</summary>
    Reboot = 1,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_RTC_CHANGE</c>.</summary>
    RtcChange = 2,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_WATCHDOG</c>.</summary>
    Watchdog = 3,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_IO_ERROR</c>.</summary>
    IoError = 4,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_GRAPHICS</c>.</summary>
    Graphics = 5,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_IO_ERROR_REASON</c>.</summary>
    IoErrorReason = 6,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_CONTROL_ERROR</c>.</summary>
    ControlError = 7,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_BLOCK_JOB</c>.</summary>
    BlockJob = 8,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_DISK_CHANGE</c>.</summary>
    DiskChange = 9,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_TRAY_CHANGE</c>.</summary>
    TrayChange = 10,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_PMWAKEUP</c>.</summary>
    Pmwakeup = 11,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_PMSUSPEND</c>.</summary>
    Pmsuspend = 12,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE</c>.</summary>
    BalloonChange = 13,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_PMSUSPEND_DISK</c>.</summary>
    PmsuspendDisk = 14,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED</c>.</summary>
    DeviceRemoved = 15,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_BLOCK_JOB_2</c>.</summary>
    BlockJob2 = 16,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_TUNABLE</c>.</summary>
    Tunable = 17,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE</c>.</summary>
    AgentLifecycle = 18,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_DEVICE_ADDED</c>.</summary>
    DeviceAdded = 19,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION</c>.</summary>
    MigrationIteration = 20,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_JOB_COMPLETED</c>.</summary>
    JobCompleted = 21,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_DEVICE_REMOVAL_FAILED</c>.</summary>
    DeviceRemovalFailed = 22,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_METADATA_CHANGE</c>.</summary>
    MetadataChange = 23,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_BLOCK_THRESHOLD</c>.</summary>
    BlockThreshold = 24,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_MEMORY_FAILURE</c>.</summary>
    MemoryFailure = 25,

    /// <summary><c>VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE</c>.</summary>
    MemoryDeviceSizeChange = 26,
}
