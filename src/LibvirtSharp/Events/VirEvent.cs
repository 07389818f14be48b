namespace LibvirtSharp;

/// <summary>
/// Something that libvirt told without being asked. A value: it holds no libvirt object, so it may be kept. Events come in the order in
/// which the daemon sent them.
/// </summary>
public abstract record VirEvent;

/// <summary>
/// The consumer was so slow that events which came after the one before this were thrown away: look at everything anew.
/// </summary>
public sealed record VirEventsLostEvent : VirEvent;

/// <summary>Something happened to a domain.</summary>
/// <param name="Domain">The domain, as it was known then.</param>
public abstract record VirDomainEvent(VirDomainIdentity Domain) : VirEvent;

/// <summary>A domain was defined, started, paused, resumed, stopped...</summary>
/// <param name="Event">What happened.</param>
/// <param name="Detail">
/// Why, by the enumeration of the event's name: <see cref="VirDomainEventStoppedDetailType"/> for <see cref="VirDomainEventType.Stopped"/>,
/// and so on.
/// </param>
public sealed record VirDomainLifecycleEvent(VirDomainIdentity Domain, VirDomainEventType Event, int Detail) : VirDomainEvent(Domain);

/// <summary>A domain's guest rebooted: same domain, same devices.</summary>
public sealed record VirDomainRebootEvent(VirDomainIdentity Domain) : VirDomainEvent(Domain);

/// <summary>A device was plugged into a running domain. The guest need not have noticed yet.</summary>
/// <param name="Alias">The device's alias in the domain's XML.</param>
public sealed record VirDeviceAddedEvent(VirDomainIdentity Domain, string Alias) : VirDomainEvent(Domain);

/// <summary>The guest has let go of a device and it is out of the domain: the only proof that a detach has happened.</summary>
/// <param name="Alias">The device's alias in the domain's XML as it was.</param>
public sealed record VirDeviceRemovedEvent(VirDomainIdentity Domain, string Alias) : VirDomainEvent(Domain);

/// <summary>The guest refused to let go of a device, or failed to; it stays in the domain.</summary>
/// <param name="Alias">The device's alias in the domain's XML.</param>
public sealed record VirDeviceRemovalFailedEvent(VirDomainIdentity Domain, string Alias) : VirDomainEvent(Domain);

/// <summary>A migration begins a pass over the guest's memory.</summary>
/// <param name="Iteration">Counted from 1.</param>
public sealed record VirMigrationIterationEvent(VirDomainIdentity Domain, int Iteration) : VirDomainEvent(Domain);

/// <summary>A domain's job, such as a migration, ended.</summary>
/// <param name="Statistics">Its statistics, as <see cref="VirJobParameter"/> names them.</param>
public sealed record VirJobCompletedEvent(VirDomainIdentity Domain, VirTypedParameters Statistics) : VirDomainEvent(Domain);

/// <summary>The guest's agent came or went.</summary>
/// <param name="State">Whether it is there.</param>
/// <param name="Reason">Why that changed.</param>
public sealed record VirAgentLifecycleEvent(
    VirDomainIdentity Domain, VirConnectDomainEventAgentLifecycleState State, VirConnectDomainEventAgentLifecycleReason Reason) : VirDomainEvent(Domain);

/// <summary>A job on a disk changed its state.</summary>
/// <param name="Disk">The disk's target, such as <c>vda</c>.</param>
/// <param name="Type">What the job does.</param>
/// <param name="Status">How it stands.</param>
public sealed record VirBlockJobEvent(
    VirDomainIdentity Domain, string Disk, VirDomainBlockJobType Type, VirConnectDomainEventBlockJobStatus Status) : VirDomainEvent(Domain);

/// <summary>A domain's title, description or an application's metadata element changed.</summary>
/// <param name="Type">Which.</param>
/// <param name="NamespaceUri">The element's namespace, for <see cref="VirDomainMetadataType.Element"/>.</param>
public sealed record VirMetadataChangeEvent(VirDomainIdentity Domain, VirDomainMetadataType Type, string? NamespaceUri) : VirDomainEvent(Domain);

/// <summary>Something happened to a device of the host.</summary>
/// <param name="Name">The node device's name, such as <c>pci_0000_04_10_0</c>.</param>
public abstract record VirNodeDeviceEvent(string Name) : VirEvent;

/// <summary>
/// A device of the host came or went. Binding a PCI function to another driver sends nothing for the function itself: only its
/// children, such as its network interface, come and go.
/// </summary>
/// <param name="Event">What happened.</param>
/// <param name="Detail">None is defined yet: 0.</param>
public sealed record VirNodeDeviceLifecycleEvent(string Name, VirNodeDeviceEventLifecycleType Event, int Detail) : VirNodeDeviceEvent(Name);

/// <summary>A device's description changed.</summary>
public sealed record VirNodeDeviceUpdateEvent(string Name) : VirNodeDeviceEvent(Name);
