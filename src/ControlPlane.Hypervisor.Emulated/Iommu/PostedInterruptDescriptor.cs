namespace ControlPlane.Hypervisor.Emulated.Iommu;

/// <summary>
/// Where the hardware collects a virtual CPU's interrupts (VT-d 9.11, Intel SDM volume 3, 30.6): a bit for each of 256 vectors, and two that
/// say whether the CPU has been told and whether it is to be.
/// </summary>
/// <param name="notify">The notification event: the CPU that runs the guest, or the one that must wake it, is told to look.</param>
internal sealed class PostedInterruptDescriptor(Action notify)
{
    private readonly ulong[] requests = new ulong[4];

    /// <summary>ON: a notification is on its way, another is not needed.</summary>
    public bool IsOutstanding { get; private set; }

    /// <summary>SN: the virtual CPU does not run; what comes waits until it does.</summary>
    public bool IsSuppressed { get; set; }

    public long Notifications { get; private set; }

    /// <summary>Interrupts that found a notification outstanding or suppressed: they cost nothing of their own.</summary>
    public long Coalesced { get; private set; }

    public bool HasRequests => (requests[0] | requests[1] | requests[2] | requests[3]) != 0;

    public void Post(byte vector)
    {
        requests[vector >> 6] |= 1UL << (vector & 63);
        if (IsSuppressed || IsOutstanding)
        {
            Coalesced++;
            return;
        }
        IsOutstanding = true;
        Notifications++;
        notify();
    }

    /// <summary>The processor takes over what was posted.</summary>
    public void Drain(Action<byte> take)
    {
        IsOutstanding = false;
        for (var word = 0; word < requests.Length; word++)
        {
            for (; requests[word] != 0; requests[word] &= requests[word] - 1)
                take((byte)((word << 6) | System.Numerics.BitOperations.TrailingZeroCount(requests[word])));
        }
    }
}
