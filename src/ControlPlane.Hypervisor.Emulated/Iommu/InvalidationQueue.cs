using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>Descriptors of the invalidation queue (VT-d 6.5.2).</summary>
internal enum InvalidationKind
{
    /// <summary>One requester's context entry.</summary>
    ContextOfDevice,
    ContextGlobal,
    IotlbDomain,
    IotlbPages,
    IotlbGlobal,

    /// <summary>The device's own cache: the IOMMU sends it an ATS invalidation request and waits for the completion.</summary>
    DeviceTlb,

    /// <summary>One entry of the interrupt remapping table.</summary>
    InterruptEntry,

    /// <summary>Status is written once everything before it is done.</summary>
    Wait,
}

/// <param name="Domain">The id of the domain.</param>
/// <param name="First">Page, or index of an interrupt entry.</param>
internal readonly record struct InvalidationDescriptor(InvalidationKind Kind, int Domain = 0, PciAddress Requester = default, long First = 0, long Pages = 0);

/// <summary>
/// The ring through which software tells the IOMMU what is no longer true. Descriptors that were only queued change nothing: the hardware
/// fetches them when software moves the tail, which drivers do with a wait descriptor at the end.
/// </summary>
internal sealed class InvalidationQueue(Action<InvalidationDescriptor> execute) : ICounting
{
    /// <summary>One page of descriptors of 16 bytes.</summary>
    public const int Slots = 256;

    private readonly InvalidationDescriptor[] ring = new InvalidationDescriptor[Slots];
    private int head;
    private int tail;

    public long Descriptors { get; private set; }

    /// <summary>Waits that were completed: what the hardware has written to the status address.</summary>
    public long CompletedWaits { get; private set; }

    public int Queued => (tail - head + Slots) % Slots;

    public void Submit(InvalidationDescriptor descriptor)
    {
        // One slot stays free, or a full ring would look like an empty one.
        if (Queued == Slots - 1)
            Process();
        ring[tail] = descriptor;
        tail = (tail + 1) % Slots;
    }

    /// <summary>Queues a wait descriptor, moves the tail and waits for the status: everything queued before has taken effect.</summary>
    public void Wait()
    {
        Submit(new InvalidationDescriptor(InvalidationKind.Wait));
        Process();
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("invalidation-queue", "descriptors", Descriptors);
        sheet.Add("invalidation-queue", "completed-waits", CompletedWaits);
    }

    private void Process()
    {
        for (; head != tail; head = (head + 1) % Slots)
        {
            Descriptors++;
            if (ring[head].Kind == InvalidationKind.Wait)
                CompletedWaits++;
            else
                execute(ring[head]);
        }
    }
}
