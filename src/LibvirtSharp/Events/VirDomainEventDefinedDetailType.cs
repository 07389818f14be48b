namespace LibvirtSharp;

/// <summary>Detail of <see cref="VirDomainEventType.Defined"/>. Stands for C's <c>virDomainEventDefinedDetailType</c>.</summary>
public enum VirDomainEventDefinedDetailType
{
    /// <summary><c>VIR_DOMAIN_EVENT_DEFINED_ADDED</c>.</summary>
    Added = 0,

    /// <summary><c>VIR_DOMAIN_EVENT_DEFINED_UPDATED</c>.</summary>
    Updated = 1,

    /// <summary><c>VIR_DOMAIN_EVENT_DEFINED_RENAMED</c>.</summary>
    Renamed = 2,

    /// <summary><c>VIR_DOMAIN_EVENT_DEFINED_FROM_SNAPSHOT</c>.</summary>
    FromSnapshot = 3,
}
