using System.Runtime.InteropServices;

namespace LibvirtSharp;

/// <summary>
/// The functions that libvirt calls on its event thread. Each copies what it was given, since all of it is libvirt's and gone afterwards,
/// and puts it into the queue. No exception may cross into C: what a copy throws ends the queue, so that the reader sees it.
/// </summary>
internal static unsafe class EventCallbacks
{
    internal static nint Lifecycle => (nint)(delegate* unmanaged<nint, nint, int, int, void*, int>)&OnLifecycle;

    internal static nint Reboot => (nint)(delegate* unmanaged<nint, nint, void*, void>)&OnReboot;

    internal static nint DeviceAdded => (nint)(delegate* unmanaged<nint, nint, nint, void*, void>)&OnDeviceAdded;

    internal static nint DeviceRemoved => (nint)(delegate* unmanaged<nint, nint, nint, void*, void>)&OnDeviceRemoved;

    internal static nint DeviceRemovalFailed => (nint)(delegate* unmanaged<nint, nint, nint, void*, void>)&OnDeviceRemovalFailed;

    internal static nint MigrationIteration => (nint)(delegate* unmanaged<nint, nint, int, void*, void>)&OnMigrationIteration;

    internal static nint JobCompleted => (nint)(delegate* unmanaged<nint, nint, NativeTypedParameter*, int, void*, void>)&OnJobCompleted;

    internal static nint AgentLifecycle => (nint)(delegate* unmanaged<nint, nint, int, int, void*, void>)&OnAgentLifecycle;

    internal static nint BlockJob => (nint)(delegate* unmanaged<nint, nint, nint, int, int, void*, void>)&OnBlockJob;

    internal static nint MetadataChange => (nint)(delegate* unmanaged<nint, nint, int, nint, void*, void>)&OnMetadataChange;

    internal static nint NodeDeviceLifecycle => (nint)(delegate* unmanaged<nint, nint, int, int, void*, void>)&OnNodeDeviceLifecycle;

    internal static nint NodeDeviceUpdate => (nint)(delegate* unmanaged<nint, nint, void*, void>)&OnNodeDeviceUpdate;

    [UnmanagedCallersOnly]
    private static int OnLifecycle(nint connection, nint domain, int happened, int detail, void* opaque)
    {
        Put(opaque, () => new VirDomainLifecycleEvent(VirDomain.IdentityOf(domain), (VirDomainEventType)happened, detail));
        return 0;
    }

    [UnmanagedCallersOnly]
    private static void OnReboot(nint connection, nint domain, void* opaque) =>
        Put(opaque, () => new VirDomainRebootEvent(VirDomain.IdentityOf(domain)));

    [UnmanagedCallersOnly]
    private static void OnDeviceAdded(nint connection, nint domain, nint alias, void* opaque) =>
        Put(opaque, () => new VirDeviceAddedEvent(VirDomain.IdentityOf(domain), Text(alias)));

    [UnmanagedCallersOnly]
    private static void OnDeviceRemoved(nint connection, nint domain, nint alias, void* opaque) =>
        Put(opaque, () => new VirDeviceRemovedEvent(VirDomain.IdentityOf(domain), Text(alias)));

    [UnmanagedCallersOnly]
    private static void OnDeviceRemovalFailed(nint connection, nint domain, nint alias, void* opaque) =>
        Put(opaque, () => new VirDeviceRemovalFailedEvent(VirDomain.IdentityOf(domain), Text(alias)));

    [UnmanagedCallersOnly]
    private static void OnMigrationIteration(nint connection, nint domain, int iteration, void* opaque) =>
        Put(opaque, () => new VirMigrationIterationEvent(VirDomain.IdentityOf(domain), iteration));

    [UnmanagedCallersOnly]
    private static void OnJobCompleted(nint connection, nint domain, NativeTypedParameter* parameters, int count, void* opaque) =>
        Put(opaque, () => new VirJobCompletedEvent(VirDomain.IdentityOf(domain), TypedParameterBlock.Copy(parameters, count)));

    [UnmanagedCallersOnly]
    private static void OnAgentLifecycle(nint connection, nint domain, int state, int reason, void* opaque) =>
        Put(opaque, () => new VirAgentLifecycleEvent(
            VirDomain.IdentityOf(domain), (VirConnectDomainEventAgentLifecycleState)state, (VirConnectDomainEventAgentLifecycleReason)reason));

    [UnmanagedCallersOnly]
    private static void OnBlockJob(nint connection, nint domain, nint disk, int type, int status, void* opaque) =>
        Put(opaque, () => new VirBlockJobEvent(
            VirDomain.IdentityOf(domain), Text(disk), (VirDomainBlockJobType)type, (VirConnectDomainEventBlockJobStatus)status));

    [UnmanagedCallersOnly]
    private static void OnMetadataChange(nint connection, nint domain, int type, nint uri, void* opaque) =>
        Put(opaque, () => new VirMetadataChangeEvent(VirDomain.IdentityOf(domain), (VirDomainMetadataType)type, Marshal.PtrToStringUTF8(uri)));

    [UnmanagedCallersOnly]
    private static void OnNodeDeviceLifecycle(nint connection, nint device, int happened, int detail, void* opaque) =>
        Put(opaque, () => new VirNodeDeviceLifecycleEvent(VirNodeDevice.NameOf(device), (VirNodeDeviceEventLifecycleType)happened, detail));

    [UnmanagedCallersOnly]
    private static void OnNodeDeviceUpdate(nint connection, nint device, void* opaque) =>
        Put(opaque, () => new VirNodeDeviceUpdateEvent(VirNodeDevice.NameOf(device)));

    private static void Put(void* opaque, Func<VirEvent> copy)
    {
        if (CallbackRegistry.Find<EventFan>(opaque) is not { } fan)
            return;
        try
        {
            fan.Write(copy());
        }
        catch (Exception e) // It must not cross into C.
        {
            fan.Fail(e);
        }
    }

    private static string Text(nint text) => Marshal.PtrToStringUTF8(text) ?? "";
}
