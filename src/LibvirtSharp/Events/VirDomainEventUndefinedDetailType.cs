namespace LibvirtSharp;

/// <summary>Detail of <see cref="VirDomainEventType.Undefined"/>. Stands for C's <c>virDomainEventUndefinedDetailType</c>.</summary>
public enum VirDomainEventUndefinedDetailType
{
    /// <summary><c>VIR_DOMAIN_EVENT_UNDEFINED_REMOVED</c>.</summary>
    Removed = 0,

    /// <summary><c>VIR_DOMAIN_EVENT_UNDEFINED_RENAMED</c>.</summary>
    Renamed = 1,
}
