namespace ControlPlane.Hypervisor.Emulated.Net;

/// <summary>
/// A rate in model time. Tokens are tenths of a bit, of which one Mbit/s brings one in each tick of 100 ns: no fraction is ever rounded.
/// </summary>
/// <param name="mbps">Mbit/s.</param>
/// <param name="since">The bucket is full then.</param>
internal sealed class TokenBucket(int mbps, DateTimeOffset since)
{
    /// <summary>One frame that is still to be cut may go at once.</summary>
    private const long Depth = 65_536 * PerByte;

    private const long PerByte = 80;

    private long tokens = Depth;
    private long filledTicks = since.UtcTicks;

    public bool Has(int bytes, DateTimeOffset now)
    {
        Fill(now);
        return tokens >= bytes * PerByte;
    }

    /// <summary>Takes tokens that may not be there yet: who has a guarantee goes into the others' debt.</summary>
    public void Take(int bytes) => tokens -= bytes * PerByte;

    /// <summary>When there will be enough.</summary>
    public DateTimeOffset ReadyAt(int bytes, DateTimeOffset now)
    {
        Fill(now);
        var missing = (bytes * PerByte) - tokens;
        return missing <= 0 ? now : now.AddTicks((missing + mbps - 1) / mbps);
    }

    private void Fill(DateTimeOffset now)
    {
        var elapsed = now.UtcTicks - filledTicks;
        filledTicks = now.UtcTicks;
        // After so long it is full whatever it held, and the product below could overflow.
        tokens = elapsed > TimeSpan.TicksPerDay ? Depth : Math.Min(Depth, tokens + (elapsed * mbps));
    }
}
