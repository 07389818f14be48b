using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Memory;

namespace ControlPlane.Hypervisor.Emulated.Cpu;

/// <summary>Translated blocks by the address of their source. Pages with source are write-protected: a store there drops their blocks.</summary>
internal sealed class TranslationCache(Interpreter interpreter) : ICounting
{
    /// <summary>A block ends after as many instructions, if no jump ends it before.</summary>
    private const int MaxBlockInstructions = 12;

    /// <summary>Full, the cache is emptied and filled anew: what is used comes back at once.</summary>
    private const int MaxBlocks = 4096;

    private readonly Dictionary<long, Instruction[]> blocks = [];
    private readonly HashSet<long> sourcePages = [];

    public long TranslatedBlocks { get; private set; }

    public long TranslatedInstructions { get; private set; }

    public long Hits { get; private set; }

    public long Invalidations { get; private set; }

    /// <param name="translated">How many instructions had to be translated for it; 0: none.</param>
    public Instruction[] Find(long address, out int translated)
    {
        translated = 0;
        if (blocks.TryGetValue(address, out var block))
        {
            Hits++;
            return block;
        }
        if (blocks.Count >= MaxBlocks)
            Clear();
        block = blocks[address] = Translate(address);
        translated = block.Length;
        TranslatedBlocks++;
        TranslatedInstructions += translated;
        return block;
    }

    /// <summary>True when the store hit a page that holds source.</summary>
    public bool Invalidate(long address)
    {
        var page = address / GuestMemory.PageBytes;
        if (!sourcePages.Remove(page))
            return false;
        Invalidations++;
        foreach (var start in blocks.Keys.ToArray())
        {
            if (start / GuestMemory.PageBytes == page || (start + LongestBlock) / GuestMemory.PageBytes == page)
                blocks.Remove(start);
        }
        return true;
    }

    public void Clear()
    {
        blocks.Clear();
        sourcePages.Clear();
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("cpu", "translated-blocks", TranslatedBlocks);
        sheet.Add("cpu", "translated-instructions", TranslatedInstructions);
        sheet.Add("cpu", "translation-cache-hits", Hits);
        sheet.Add("cpu", "translation-invalidations", Invalidations);
    }

    private static long LongestBlock => MaxBlockInstructions * InstructionDecoder.MaxBytes;

    private Instruction[] Translate(long address)
    {
        var block = new List<Instruction>(MaxBlockInstructions);
        do
        {
            var instruction = interpreter.FetchAt(address);
            sourcePages.Add(address / GuestMemory.PageBytes);
            sourcePages.Add((address + instruction.Length - 1) / GuestMemory.PageBytes);
            block.Add(instruction);
            address = (address + instruction.Length) & 0xf_ffff;
        }
        while (block.Count < MaxBlockInstructions && !block[^1].EndsBlock);
        return [.. block];
    }
}
