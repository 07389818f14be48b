namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>The driver's side of a virtqueue: which descriptors are free, what was made available and what has come back.</summary>
/// <param name="eventIndex">Whether VIRTIO_F_EVENT_IDX was negotiated; without it the flags of the rings say whether to notify.</param>
internal sealed class VirtqueueDriver(SplitVirtqueue queue, bool eventIndex)
{
    private ushort available;
    private ushort toldUntil;
    private ushort usedUntil;

    /// <summary>Where it stands; set when it goes on on another host.</summary>
    public DriverIndices Indices
    {
        get => new(available, toldUntil, usedUntil);
        set => (available, toldUntil, usedUntil) = (value.Available, value.ToldUntil, value.UsedUntil);
    }

    /// <summary>True when the device has given chains back that were not taken yet.</summary>
    public bool HasUsed => queue.UsedIndex != usedUntil;

    /// <summary>Chains that the device has not given back.</summary>
    public int Pending => (ushort)(available - usedUntil);

    /// <summary>Makes a chain available, by its head; the device sees it once it is told of the index.</summary>
    public void Offer(ushort head)
    {
        queue.SetAvailableHead(available, head);
        queue.AvailableIndex = ++available;
    }

    /// <summary>True when the device wants to be told of what was offered since it was last asked.</summary>
    public bool MustKick()
    {
        var before = toldUntil;
        toldUntil = available;
        if (before == available)
            return false;
        return eventIndex
            ? SplitVirtqueue.Passed(queue.AvailableEvent, available, before)
            : (queue.UsedFlags & SplitVirtqueue.NoNotifications) == 0;
    }

    /// <summary>The next chain that the device is done with.</summary>
    public bool TryTakeUsed(out int head, out int length)
    {
        (head, length) = (0, 0);
        if (queue.UsedIndex == usedUntil)
            return false;
        (head, length) = queue.Used(usedUntil++);
        return true;
    }

    /// <summary>The guest goes on elsewhere, with its driver's own memory and the ring as they were.</summary>
    public void TakeOver(VirtqueueDriver source) => (available, toldUntil, usedUntil) = (source.available, source.toldUntil, source.usedUntil);

    /// <summary>Wants an interrupt when so many more chains are used.</summary>
    public void WantInterrupt(int after = 1)
    {
        if (eventIndex)
            queue.UsedEvent = (ushort)(usedUntil + after - 1);
        else
            queue.AvailableFlags = 0;
    }

    /// <summary>Wants none while it looks for itself.</summary>
    public void WantNoInterrupt()
    {
        if (!eventIndex)
            queue.AvailableFlags = SplitVirtqueue.NoNotifications;
    }
}

/// <summary>The device's side of a virtqueue.</summary>
internal sealed class VirtqueueDevice(SplitVirtqueue queue, bool eventIndex)
{
    private ushort taken;
    private ushort used;
    private ushort toldUntil;

    /// <summary>Where it stands; set when it goes on on another host.</summary>
    public DeviceIndices Indices
    {
        get => new(taken, used, toldUntil);
        set => (taken, used, toldUntil) = (value.Taken, value.Used, value.ToldUntil);
    }

    /// <summary>Chains that the driver has offered and the device has not taken.</summary>
    public int Waiting => (ushort)(queue.AvailableIndex - taken);

    /// <summary>The head of the next available chain; null: there is none.</summary>
    public ushort? Pop() => Waiting == 0 ? null : queue.AvailableHead(taken++);

    /// <summary>Another device goes on with the ring: what was taken from it and not given back is taken again.</summary>
    /// <returns>How many chains that are.</returns>
    public int ResumeFromRing(ushort takenBefore)
    {
        taken = used = toldUntil = queue.UsedIndex;
        return (ushort)(takenBefore - taken);
    }

    /// <summary>The index up to which chains were taken.</summary>
    public ushort Taken => taken;

    public void PushUsed(int head, int length) => queue.SetUsed(used++, head, length);

    /// <summary>Shows the driver what was used. True when it wants to be told by an interrupt.</summary>
    public bool PublishUsed()
    {
        var before = toldUntil;
        toldUntil = used;
        if (before == used)
            return false;
        queue.UsedIndex = used;
        return eventIndex
            ? SplitVirtqueue.Passed(queue.UsedEvent, used, before)
            : (queue.AvailableFlags & SplitVirtqueue.NoNotifications) == 0;
    }

    /// <summary>The device works on the queue and finds more by itself.</summary>
    public void WantNoKick()
    {
        if (!eventIndex)
            queue.UsedFlags = SplitVirtqueue.NoNotifications;
    }

    /// <summary>The device goes to sleep and wants to be told of the next chain.</summary>
    public void WantKick()
    {
        if (eventIndex)
            queue.AvailableEvent = taken;
        else
            queue.UsedFlags = 0;
    }
}
