namespace ControlPlane.Scheduling.Matching;

/// <summary>
/// Maximum flow from classes of demands to slots with a capacity: bipartite matching in which likes are one node. Units are placed one
/// by one on the slot that the caller prefers, and along an augmenting path when all fitting slots are full, so a complete matching is
/// found whenever there is one, and 64 demands on 64 like functions are 64 additions. Arrays are reused from call to call.
/// </summary>
internal sealed class FlowNetwork
{
    private bool[] fits = [];
    private int[] flow = [];
    private int[] used = [];
    private int[] capacity = [];
    private int[] slotBefore = [];
    private int[] classBefore = [];
    private int[] queue = [];

    public int Classes { get; private set; }

    public int Slots { get; private set; }

    public void Reset(int classes, int maxSlots)
    {
        Classes = classes;
        Slots = 0;
        if (flow.Length < classes * maxSlots)
        {
            flow = new int[classes * maxSlots];
            fits = new bool[classes * maxSlots];
        }
        if (used.Length < maxSlots)
        {
            used = new int[maxSlots];
            capacity = new int[maxSlots];
            classBefore = new int[maxSlots];
        }
        if (queue.Length < classes)
        {
            queue = new int[classes];
            slotBefore = new int[classes];
        }
    }

    public int AddSlot(int slotCapacity)
    {
        var slot = Slots++;
        capacity[slot] = slotCapacity;
        used[slot] = 0;
        for (var c = 0; c < Classes; c++)
        {
            flow[(slot * Classes) + c] = 0;
            fits[(slot * Classes) + c] = false;
        }
        return slot;
    }

    public void Allow(int demandClass, int slot) => fits[(slot * Classes) + demandClass] = true;

    public bool Allows(int demandClass, int slot) => fits[(slot * Classes) + demandClass];

    public int Left(int slot) => capacity[slot] - used[slot];

    public int FlowOf(int demandClass, int slot) => flow[(slot * Classes) + demandClass];

    public void Place(int demandClass, int slot)
    {
        flow[(slot * Classes) + demandClass]++;
        used[slot]++;
    }

    /// <summary>Makes room for one more unit of a class by moving others; breadth first, so the fewest are moved.</summary>
    /// <returns>The slot that has one unit more in the end; -1 when the matching cannot grow.</returns>
    public int Augment(int demandClass)
    {
        Array.Fill(slotBefore, -2, 0, Classes);
        Array.Fill(classBefore, -1, 0, Slots);
        queue[0] = demandClass;
        slotBefore[demandClass] = -1;
        var tail = 1;
        for (var head = 0; head < tail; head++)
        {
            var from = queue[head];
            for (var slot = 0; slot < Slots; slot++)
            {
                if (classBefore[slot] >= 0 || !Allows(from, slot))
                    continue;
                classBefore[slot] = from;
                if (used[slot] < capacity[slot])
                {
                    Shift(slot);
                    return slot;
                }
                for (var c = 0; c < Classes; c++)
                {
                    if (slotBefore[c] != -2 || FlowOf(c, slot) == 0)
                        continue;
                    slotBefore[c] = slot;
                    queue[tail++] = c;
                }
            }
        }
        return -1;
    }

    private void Shift(int slot)
    {
        used[slot]++;
        while (slot >= 0)
        {
            var into = classBefore[slot];
            flow[(slot * Classes) + into]++;
            slot = slotBefore[into];
            if (slot >= 0)
                flow[(slot * Classes) + into]--;
        }
    }
}
