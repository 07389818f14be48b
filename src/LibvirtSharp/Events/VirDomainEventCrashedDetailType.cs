namespace LibvirtSharp;

/// <summary>Detail of <see cref="VirDomainEventType.Crashed"/>. Stands for C's <c>virDomainEventCrashedDetailType</c>.</summary>
public enum VirDomainEventCrashedDetailType
{
    /// <summary><c>VIR_DOMAIN_EVENT_CRASHED_PANICKED</c>.</summary>
    Panicked = 0,

    /// <summary><c>VIR_DOMAIN_EVENT_CRASHED_CRASHLOADED</c>.</summary>
    Crashloaded = 1,
}
