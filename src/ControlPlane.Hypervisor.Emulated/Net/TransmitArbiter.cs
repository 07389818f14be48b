namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>What one function may send: a guaranteed rate and a greatest one, in Mbit/s; 0: none, or any.</summary>
internal readonly record struct TransmitRates(int MinMbps, int MaxMbps)
{
    public bool IsSet => MinMbps > 0 || MaxMbps > 0;
}

/// <summary>
/// Shares a NIC's link among its functions, as a hierarchical token bucket: what is within a function's guarantee always goes, and the link's
/// tokens with it; beyond it a function borrows what the link has left, up to its greatest rate.
/// </summary>
internal sealed class TransmitArbiter(int linkMbps, DateTimeOffset since)
{
    private readonly TokenBucket link = new(linkMbps, since);

    /// <summary>The buckets of one function.</summary>
    public sealed class Share(TransmitRates rates, DateTimeOffset since)
    {
        public TransmitRates Rates => rates;

        public TokenBucket? Guaranteed { get; } = rates.MinMbps > 0 ? new TokenBucket(rates.MinMbps, since) : null;

        public TokenBucket? Greatest { get; } = rates.MaxMbps > 0 ? new TokenBucket(rates.MaxMbps, since) : null;
    }

    /// <summary>Null: the frame may go now. Otherwise when to ask again.</summary>
    public DateTimeOffset? Admit(Share share, int bytes, DateTimeOffset now)
    {
        if (share.Greatest is { } greatest && !greatest.Has(bytes, now))
            return greatest.ReadyAt(bytes, now);
        if (share.Guaranteed is { } guaranteed && guaranteed.Has(bytes, now))
        {
            guaranteed.Take(bytes);
        }
        else if (!link.Has(bytes, now))
        {
            var free = link.ReadyAt(bytes, now);
            return share.Guaranteed?.ReadyAt(bytes, now) is { } own && own < free ? own : free;
        }
        link.Take(bytes);
        share.Greatest?.Take(bytes);
        return null;
    }
}
