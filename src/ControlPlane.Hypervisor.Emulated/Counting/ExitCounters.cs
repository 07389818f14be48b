using System.Text.Json;

namespace ControlPlane.Hypervisor.Emulated.Counting;

/// <summary>How often a domain's CPUs left the guest, by reason. Every mechanism that traps counts here: it is one guest's one budget.</summary>
internal sealed class ExitCounters : ICounting
{
    private static readonly string[] Names =
        [.. Enum.GetNames<ExitReason>().Select(JsonNamingPolicy.KebabCaseLower.ConvertName)];

    private readonly long[] counts = new long[Names.Length];

    public long Total { get; private set; }

    public long this[ExitReason reason] => counts[(int)reason];

    public void Count(ExitReason reason, long times = 1)
    {
        counts[(int)reason] += times;
        Total += times;
    }

    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("exits", "total", Total);
        for (var reason = 0; reason < counts.Length; reason++)
        {
            if (counts[reason] > 0)
                sheet.Add("exits", Names[reason], counts[reason]);
        }
    }
}
