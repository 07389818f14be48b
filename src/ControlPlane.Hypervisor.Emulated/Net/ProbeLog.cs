namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>When the probe frames sent at one interface reached its guest, kept as the silences between them.</summary>
internal sealed class ProbeLog(TimeSpan interval)
{
    private readonly List<Silence> silences = [];
    private DateTimeOffset? firstSent;
    private DateTimeOffset lastSent;
    private DateTimeOffset? lastDelivered;
    private long lastSequence;
    private long sequence;

    /// <summary>A probe leaves its sender; the answer is its number.</summary>
    public long Sent(DateTimeOffset at)
    {
        firstSent ??= at;
        lastSent = at;
        return ++sequence;
    }

    /// <summary>The guest has taken a probe out of its ring.</summary>
    public void Delivered(long number, DateTimeOffset at)
    {
        // A frame that waited in the ring of a paused guest ends a silence although none was lost.
        if (number > lastSequence + 1 || at - (lastDelivered ?? firstSent!.Value) > interval * 1.5)
            silences.Add(new Silence(lastDelivered ?? firstSent!.Value, at, number - lastSequence - 1));
        lastDelivered = at;
        lastSequence = number;
    }

    /// <summary>The longest silence since then, of those that are over and the one that may still last.</summary>
    public InterfaceGap Measure(string name, DateTimeOffset since)
    {
        if (firstSent is not { } first || lastSent < since)
            return new InterfaceGap(name, TimeSpan.Zero, 0, 0);
        var from = first > since ? first : since;
        var sent = (int)((lastSent - from) / interval) + 1;
        var silent = silences.Append(new Silence(lastDelivered ?? first, lastSent, sequence - lastSequence)).Where(s => s.To > from).ToArray();
        // Between two frames that follow each other lies at least the distance at which they are sent.
        var longest = silent.Select(s => s.To - (s.From > from ? s.From : from)).Where(s => s > interval).DefaultIfEmpty(interval).Max();
        return new InterfaceGap(name, longest, sent, (int)silent.Sum(s => s.LostSince(from)));
    }

    private readonly record struct Silence(DateTimeOffset From, DateTimeOffset To, long Lost)
    {
        /// <summary>Of a silence that began before the window, the share that lies in it.</summary>
        public long LostSince(DateTimeOffset since) => From >= since || To == From ? Lost : (long)(Lost * ((To - since) / (To - From)));
    }
}
