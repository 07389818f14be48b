using ControlPlane.Domain;
using ControlPlane.Hypervisor.Libvirt.DomainXml;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.Events;

/// <summary>libvirt's events in the port's words. Events of domains that are not ours say nothing.</summary>
internal static class EventTranslation
{
    private const string PciPrefix = "pci_";

    /// <summary>Null for what no reconciler waits for.</summary>
    public static HypervisorEvent? Translate(VirEvent happened, DateTimeOffset at) => happened switch
    {
        VirNodeDeviceLifecycleEvent device when device.Name.StartsWith(PciPrefix, StringComparison.Ordinal) => new HypervisorEvent.InventoryChanged(at),
        // Too many at once: whoever listens looks at everything anew.
        VirEventsLostEvent => new HypervisorEvent.InventoryChanged(at),
        VirDomainEvent ours when DomainMark.IsOurs(ours.Domain.Name, ours.Domain.Uuid) => OfDomain(ours, new VmId(ours.Domain.Uuid), at),
        _ => null,
    };

    private static HypervisorEvent? OfDomain(VirDomainEvent happened, VmId vm, DateTimeOffset at) => happened switch
    {
        VirDeviceRemovedEvent removed when DeviceAlias.FunctionName(removed.Alias) is { } name => new HypervisorEvent.DeviceGone(vm, name, at),
        VirDomainLifecycleEvent life => OfLife(life, vm, at),
        VirDomainRebootEvent => new HypervisorEvent.DomainChanged(vm, DomainState.Running, "the guest rebooted", at),
        _ => null,
    };

    private static HypervisorEvent.DomainChanged? OfLife(VirDomainLifecycleEvent life, VmId vm, DateTimeOffset at)
    {
        HypervisorEvent.DomainChanged Changed(DomainState state, string reason) => new(vm, state, reason, at);
        return life.Event switch
        {
            VirDomainEventType.Started when life.Detail != (int)VirDomainEventStartedDetailType.Migrated => Changed(DomainState.Running, "it was started"),
            VirDomainEventType.Resumed => Changed(DomainState.Running, Reason((VirDomainEventResumedDetailType)life.Detail)),
            // The pause of a switch-over is part of the move.
            VirDomainEventType.Suspended when life.Detail != (int)VirDomainEventSuspendedDetailType.Migrated =>
                Changed(DomainState.Paused, Reason((VirDomainEventSuspendedDetailType)life.Detail)),
            VirDomainEventType.Stopped => Changed(DomainState.Off, Reason((VirDomainEventStoppedDetailType)life.Detail)),
            VirDomainEventType.Crashed => Changed(DomainState.Off, "the guest crashed"),
            VirDomainEventType.Undefined => Changed(DomainState.Off, "its definition was removed"),
            _ => null,
        };
    }

    private static string Reason(VirDomainEventStoppedDetailType detail) => detail switch
    {
        VirDomainEventStoppedDetailType.Shutdown => "the guest powered off",
        VirDomainEventStoppedDetailType.Destroyed => "it was destroyed",
        VirDomainEventStoppedDetailType.Crashed => "the guest crashed",
        VirDomainEventStoppedDetailType.Migrated => "it moved away",
        VirDomainEventStoppedDetailType.Failed => "its VMM failed",
        _ => $"libvirt: stopped ({detail})",
    };

    private static string Reason(VirDomainEventSuspendedDetailType detail) => detail switch
    {
        VirDomainEventSuspendedDetailType.Paused => "it was paused",
        VirDomainEventSuspendedDetailType.Ioerror => "a disk failed",
        VirDomainEventSuspendedDetailType.Watchdog => "its watchdog ran out",
        _ => $"libvirt: suspended ({detail})",
    };

    private static string Reason(VirDomainEventResumedDetailType detail) => detail switch
    {
        VirDomainEventResumedDetailType.Migrated => "it arrived",
        _ => "it was resumed",
    };
}
