namespace LibvirtSharp;

/// <summary>One callback that libvirt knows, by the number it gave.</summary>
internal readonly record struct EventRegistration(int CallbackId, bool IsOfNodeDevices)
{
    internal static unsafe EventRegistration Register(VirConnect connection, VirEventKinds kind, nint key)
    {
        if (VirEventKinds.AllOfNodeDevices.HasFlag(kind))
        {
            var (number, function) = kind == VirEventKinds.NodeDeviceLifecycle ? (0, EventCallbacks.NodeDeviceLifecycle) : (1, EventCallbacks.NodeDeviceUpdate);
            return new(Native.Check(NativeConnect.virConnectNodeDeviceEventRegisterAny(
                connection.Handle, NoDevice, number, (void*)function, (void*)key, null)), IsOfNodeDevices: true);
        }

        var (id, callback) = OfDomains(kind);
        return new(Native.Check(NativeConnect.virConnectDomainEventRegisterAny(
            connection.Handle, NoDomain, (int)id, (void*)callback, (void*)key, null)), IsOfNodeDevices: false);
    }

    /// <summary>A lost connection answers with an error, after libvirt has forgotten the callback on this side all the same.</summary>
    internal void Deregister(VirConnect connection) => _ = IsOfNodeDevices
        ? NativeConnect.virConnectNodeDeviceEventDeregisterAny(connection.Handle, CallbackId)
        : NativeConnect.virConnectDomainEventDeregisterAny(connection.Handle, CallbackId);

    private static (VirDomainEventId Id, nint Callback) OfDomains(VirEventKinds kind) => kind switch
    {
        VirEventKinds.DomainLifecycle => (VirDomainEventId.Lifecycle, EventCallbacks.Lifecycle),
        VirEventKinds.DomainReboot => (VirDomainEventId.Reboot, EventCallbacks.Reboot),
        VirEventKinds.DeviceAdded => (VirDomainEventId.DeviceAdded, EventCallbacks.DeviceAdded),
        VirEventKinds.DeviceRemoved => (VirDomainEventId.DeviceRemoved, EventCallbacks.DeviceRemoved),
        VirEventKinds.DeviceRemovalFailed => (VirDomainEventId.DeviceRemovalFailed, EventCallbacks.DeviceRemovalFailed),
        VirEventKinds.MigrationIteration => (VirDomainEventId.MigrationIteration, EventCallbacks.MigrationIteration),
        VirEventKinds.JobCompleted => (VirDomainEventId.JobCompleted, EventCallbacks.JobCompleted),
        VirEventKinds.AgentLifecycle => (VirDomainEventId.AgentLifecycle, EventCallbacks.AgentLifecycle),
        VirEventKinds.BlockJob => (VirDomainEventId.BlockJob2, EventCallbacks.BlockJob),
        VirEventKinds.MetadataChange => (VirDomainEventId.MetadataChange, EventCallbacks.MetadataChange),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "Not one event of domains."),
    };

    /// <summary>Null in C: of all domains.</summary>
    private static VirDomainHandle NoDomain { get; } = new();

    /// <summary>Null in C: of all node devices.</summary>
    private static VirNodeDeviceHandle NoDevice { get; } = new();
}
