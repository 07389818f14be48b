namespace LibvirtSharp;

/// <remarks>Events, through queues.</remarks>
public sealed partial class VirConnect
{
    /// <summary>As many events as a domain's busy migration sends, many times over.</summary>
    public const int DefaultEventCapacity = 4096;

    /// <summary>
    /// Begins to collect events. One subscription of several kinds keeps their common order. Stands for
    /// <c>virConnectDomainEventRegisterAny</c> and <c>virConnectNodeDeviceEventRegisterAny</c>, for all domains and devices.
    /// </summary>
    /// <param name="kinds">Which events.</param>
    /// <param name="capacity">How many unread events are kept; beyond, they are lost and a <see cref="VirEventsLostEvent"/> says so.</param>
    /// <exception cref="LibvirtException">The driver does not have one of the kinds.</exception>
    public VirEventSubscription Subscribe(VirEventKinds kinds, int capacity = DefaultEventCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        return new VirEventSubscription(this, kinds, new EventQueue(capacity), ownsQueue: true);
    }

    /// <summary>Into a queue that outlives the subscription.</summary>
    internal void SubscribeInto(VirEventKinds kinds, EventQueue queue) => _ = new VirEventSubscription(this, kinds, queue, ownsQueue: false);
}
