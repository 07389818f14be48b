using System.Numerics;

namespace ControlPlane.Hypervisor.Emulated.Memory;

/// <summary>
/// What is held of a guest's memory, in lines of equal size, found by their numbers: a hash table with open addressing, whose slot leads to a line's
/// bytes at once. Each frame that a guest sends or takes asks some thirty times.
/// </summary>
internal sealed class LineTable
{
    private const int FewestSlots = 4;

    private Slot[] slots = new Slot[FewestSlots];

    public int Count { get; private set; }

    /// <summary>The lines that are held, and their bytes.</summary>
    public IEnumerable<(long Line, byte[] Bytes)> All
    {
        get
        {
            foreach (var slot in slots)
            {
                if (slot.Bytes is { } bytes)
                    yield return (slot.Line, bytes);
            }
        }
    }

    /// <summary>Null: nothing was ever written there.</summary>
    public byte[]? Find(long line) => slots[SlotOf(slots, line)].Bytes;

    public void Add(long line, byte[] bytes)
    {
        // At most two slots of three are in use, so that a search ends soon.
        if (++Count * 3 > slots.Length * 2)
            Grow();
        slots[SlotOf(slots, line)] = new Slot(line, bytes);
    }

    private void Grow()
    {
        var larger = new Slot[slots.Length * 2];
        foreach (var slot in slots)
        {
            if (slot.Bytes is not null)
                larger[SlotOf(larger, slot.Line)] = slot;
        }
        slots = larger;
    }

    /// <summary>Where the line is, or where it belongs: neighbours in memory lie apart (Fibonacci hashing, Knuth volume 3, 6.4).</summary>
    private static int SlotOf(Slot[] slots, long line)
    {
        var at = (int)((ulong)line * 0x9E37_79B9_7F4A_7C15UL >> (64 - BitOperations.Log2((uint)slots.Length)));
        while (slots[at].Bytes is not null && slots[at].Line != line)
            at = (at + 1) & (slots.Length - 1);
        return at;
    }

    private readonly record struct Slot(long Line, byte[]? Bytes);
}
