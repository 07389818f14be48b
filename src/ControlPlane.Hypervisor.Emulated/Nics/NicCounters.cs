using System.Text.Json;
using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Nics;

/// <summary>What the way of a frame between a guest and its NIC is made of. The names of counters follow from these.</summary>
internal enum NicCount
{
    TransmittedFrames,
    TransmittedBytes,
    ReceivedFrames,
    ReceivedBytes,

    /// <summary>Frames for which the ring had no place, or that did not fit, or that memory did not take.</summary>
    DroppedFrames,

    /// <summary>Times that a CPU copied a frame, or a part of one, on its way between the guest and the host's network.</summary>
    Copies,
    CopiedBytes,

    /// <summary>Times that the guest's CPU left the guest for the NIC's sake.</summary>
    Exits,

    /// <summary>Interrupts that the guest took, by whatever way.</summary>
    Interrupts,

    /// <summary>Of these, those that came into the running guest without its leaving (posted interrupts).</summary>
    PostedInterrupts,

    RegisterReads,
    RegisterWrites,
    Kicks,
    SuppressedKicks,
    SuppressedInterrupts,
    GrantMaps,
    GrantCopies,
    RefusedGrants,
    Doorbells,
    DmaReads,
    DmaWrites,
    DmaFaults,

    /// <summary>Interrupts of a queue that the host took, for the guest.</summary>
    HostInterrupts,

    /// <summary>Queue pairs that the guest's driver asked for and the function does not have.</summary>
    RefusedQueues,

    /// <summary>Frames that lay in the rings at a switch-over, and were sent by the target.</summary>
    TravelledChains,
}

/// <summary>What the NICs of one kind have counted for one guest. It outlives each of them, so that nothing is forgotten at a replug.</summary>
/// <param name="group">The kind, as the statistics name it; the counters that all kinds share also add up under <c>nic</c>.</param>
internal sealed class NicCounters(string group) : ICounting
{
    private const int Shared = (int)NicCount.PostedInterrupts;

    private static readonly string[] Names =
        [.. Enum.GetNames<NicCount>().Select(JsonNamingPolicy.KebabCaseLower.ConvertName)];

    private readonly long[] counts = new long[Names.Length];

    public string Group => group;

    public long this[NicCount what] => counts[(int)what];

    public void Count(NicCount what, long times = 1) => counts[(int)what] += times;

    public void Copied(int bytes)
    {
        Count(NicCount.Copies);
        Count(NicCount.CopiedBytes, bytes);
    }

    public void CountInto(CounterSheet sheet)
    {
        for (var what = 0; what < Shared; what++)
            sheet.Add("nic", Names[what], counts[what]);
        for (var what = 0; what < counts.Length; what++)
        {
            if (counts[what] > 0)
                sheet.Add(group, Names[what], counts[what]);
        }
    }
}

/// <summary>The counters of a guest's NICs, by their kinds. Empty for a guest that never sent nor received.</summary>
internal sealed class NicCounterSet : ICounting
{
    private List<NicCounters>? kinds;

    public IReadOnlyList<NicCounters> All => kinds ?? [];

    /// <summary>Of one kind, made when first asked for.</summary>
    public NicCounters Of(string group)
    {
        kinds ??= [];
        if (kinds.Find(n => n.Group == group) is { } known)
            return known;
        var counters = new NicCounters(group);
        kinds.Add(counters);
        return counters;
    }

    public void CountInto(CounterSheet sheet)
    {
        foreach (var counters in All)
            counters.CountInto(sheet);
    }
}
