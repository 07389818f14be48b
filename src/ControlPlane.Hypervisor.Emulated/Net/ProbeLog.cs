namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>When the probe frames sent at one interface reached its guest, kept as the silences between them.</summary>
internal sealed class ProbeLog(TimeSpan interval)
{
    /// <summary>As many silences and rests are remembered, the newest: a migration has a handful, and a guest may be migrated every minute for a year.</summary>
    private const int MaxRemembered = 256;

    private readonly Queue<Silence> silences = [];
    private readonly Queue<Stretch> rests = [];
    private DateTimeOffset? firstSent;
    private DateTimeOffset lastSent;
    private DateTimeOffset? lastDelivered;
    private long lastSequence;
    private long sequence;
    private int arrivedInTime;

    /// <summary>True when all probes that were sent have arrived, and the last so many of them each in its time.</summary>
    public bool HasArrived(int inTime) => arrivedInTime >= inTime && lastSequence == sequence;

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
        {
            Remember(silences, new Silence(new Stretch(lastDelivered ?? firstSent!.Value, at), number - lastSequence - 1));
            arrivedInTime = 0;
        }
        arrivedInTime++;
        lastDelivered = at;
        lastSequence = number;
    }

    /// <summary>No probe was sent from the last one until now, since nothing could have befallen it.</summary>
    /// <param name="until">When the last of those that were spared would have been sent.</param>
    public void Rested(DateTimeOffset until)
    {
        if (until <= lastSent)
            return;
        Remember(rests, new Stretch(lastSent, until));
        (lastSent, lastDelivered) = (until, until);
    }

    /// <summary>The longest silence since then, of those that are over and the one that may still last.</summary>
    public InterfaceGap Measure(string name, DateTimeOffset since)
    {
        if (firstSent is not { } first || lastSent < since)
            return new InterfaceGap(name, TimeSpan.Zero, 0, 0);
        var from = first > since ? first : since;
        var sent = (int)((lastSent - from) / interval) + 1 - (int)rests.Sum(r => r.Since(from) / interval);
        var lasting = new Silence(new Stretch(lastDelivered ?? first, lastSent), sequence - lastSequence);
        var silent = silences.Append(lasting).Where(s => s.Time.To > from).ToArray();
        // Between two frames that follow each other lies at least the distance at which they are sent.
        var longest = silent.Select(s => s.Time.Since(from)).Where(s => s > interval).DefaultIfEmpty(interval).Max();
        return new InterfaceGap(name, longest, sent, (int)silent.Sum(s => s.LostSince(from)));
    }

    private static void Remember<T>(Queue<T> queue, T entry)
    {
        queue.Enqueue(entry);
        if (queue.Count > MaxRemembered)
            queue.Dequeue();
    }

    private readonly record struct Stretch(DateTimeOffset From, DateTimeOffset To)
    {
        /// <summary>Its part after the given time.</summary>
        public TimeSpan Since(DateTimeOffset since) => To <= since ? TimeSpan.Zero : To - (From > since ? From : since);
    }

    private readonly record struct Silence(Stretch Time, long Lost)
    {
        /// <summary>Of a silence that began before the window, the share that lies in it.</summary>
        public long LostSince(DateTimeOffset since) =>
            Time.From >= since || Time.To == Time.From ? Lost : (long)(Lost * ((Time.To - since) / (Time.To - Time.From)));
    }
}
