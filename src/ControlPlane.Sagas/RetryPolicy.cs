namespace ControlPlane.Sagas;

/// <summary>How often and how fast a transient fault is tried again.</summary>
/// <param name="TriesMax">Calls of one step, the first included.</param>
/// <param name="FirstDelay">Before the second try; each later delay is twice the one before.</param>
public sealed record RetryPolicy(int TriesMax, TimeSpan FirstDelay, TimeSpan DelayMax)
{
    /// <summary>Ten tries over about a minute: longer than a host agent's restart.</summary>
    public static readonly RetryPolicy Default = new(10, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(15));

    /// <param name="attempt">The try that has just failed, from 1.</param>
    /// <param name="saga">
    /// Spreads the sagas that fail together by up to a fifth, so that they do not all come back at once. The same saga always gets the
    /// same delays, so that a simulated run can be repeated.
    /// </param>
    internal TimeSpan Delay(int attempt, Guid saga)
    {
        var ticks = Math.Min(FirstDelay.Ticks * Math.Pow(2, Math.Min(attempt - 1, 30)), DelayMax.Ticks);
        // The last bytes of a UUIDv7 are random; its first ones are the time.
        Span<byte> bytes = stackalloc byte[16];
        saga.TryWriteBytes(bytes);
        var spread = ((bytes[14] << 8) + bytes[15] + (attempt * 7919)) % 1000;
        return TimeSpan.FromTicks((long)(ticks * (1 - (spread / 5000.0))));
    }
}
