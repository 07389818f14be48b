using ControlPlane.Hypervisor.Emulated.Hosts;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>Bytes on their way from one host to another, at a speed that changes with what else is on the way.</summary>
/// <param name="route">From where to where, and how fast at most.</param>
/// <param name="isAwaited">Somebody waits for the arrival: it happens on time; see <see cref="Time.ModelClock"/>.</param>
internal sealed class WireFlow(WireRoute route, long bytes, bool isAwaited, Action arrived)
{
    private double sent;
    private DateTimeOffset since;

    public WireRoute Route => route;

    public long Bytes => bytes;

    public bool IsAwaited => isAwaited;

    /// <summary>False once all has arrived, or the sending was stopped.</summary>
    public bool IsOpen { get; private set; } = true;

    /// <summary>Of the plan for its arrival: a plan that was made anew leaves the old one without effect.</summary>
    public int Plan { get; set; }

    /// <summary>What it has of the network, now or when it ended.</summary>
    public double BytesPerSecond { get; private set; }

    public long SentBy(DateTimeOffset now) =>
        IsOpen ? Math.Min(bytes, (long)(sent + (BytesPerSecond * (now - since).TotalSeconds))) : (long)sent;

    public DateTimeOffset ArrivesAt => since + TimeSpan.FromSeconds((bytes - sent) / BytesPerSecond);

    public void ChangeSpeed(double bytesPerSecond, DateTimeOffset now)
    {
        sent = Math.Min(bytes, sent + (BytesPerSecond * (now - since).TotalSeconds));
        (BytesPerSecond, since) = (bytesPerSecond, now);
    }

    public void Arrive()
    {
        (sent, IsOpen) = (bytes, false);
        arrived();
    }

    public void Stop(DateTimeOffset now)
    {
        sent = SentBy(now);
        IsOpen = false;
    }
}

/// <param name="MaxBytesPerSecond">What the sender allows itself: its caller's limit, and what its channels can carry.</param>
internal sealed record WireRoute(EmulatedHost Source, EmulatedHost Target, double MaxBytesPerSecond);
