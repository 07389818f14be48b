using System.Diagnostics.CodeAnalysis;

namespace ControlPlane.Hypervisor.Emulated.Memory;

/// <summary>
/// A host's physical page frames and whose memory lies in them. Frames are given back and given out again, so a device that still writes to
/// frames of a guest that is gone would write into the next one, if nothing stopped it.
/// </summary>
internal sealed class HostMemory
{
    private readonly SortedList<long, GuestMemory> owners = [];
    private readonly Dictionary<long, Stack<long>> freeBySize = [];
    private long nextFrame = 0x100; // The first MiB is the firmware's.

    /// <summary>Gives a guest its frames, in one stretch; the answer is the first.</summary>
    public long Allocate(GuestMemory owner)
    {
        long first;
        if (freeBySize.TryGetValue(owner.Pages, out var free) && free.TryPop(out var reused))
        {
            first = reused;
        }
        else
        {
            first = nextFrame;
            nextFrame += owner.Pages;
        }
        owners.Add(first, owner);
        return first;
    }

    public void Free(long firstFrame)
    {
        if (!owners.Remove(firstFrame, out var owner))
            throw new InvalidOperationException($"Frame {firstFrame:x} starts nobody's memory.");
        if (!freeBySize.TryGetValue(owner.Pages, out var free))
            freeBySize[owner.Pages] = free = new Stack<long>();
        free.Push(firstFrame);
    }

    /// <summary>The guest whose memory lies in the frame, and which page of it that is.</summary>
    public bool TryFind(long frame, [MaybeNullWhen(false)] out GuestMemory owner, out long guestPage)
    {
        var (low, high) = (0, owners.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            if (owners.Keys[middle] <= frame)
                low = middle + 1;
            else
                high = middle - 1;
        }
        owner = high < 0 ? null : owners.Values[high];
        guestPage = high < 0 ? 0 : frame - owners.Keys[high];
        if (owner is not null && guestPage < owner.Pages)
            return true;
        owner = null;
        return false;
    }
}
