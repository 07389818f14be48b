namespace ControlPlane.Domain.Migrations;

/// <summary>
/// QEMU's auto-converge (<c>migration_trigger_throttle</c>): when two passes leave more dirty than half of what they sent, the guest's CPUs
/// are held back by 20 %, and by 10 % more each further time, up to 99 %.
/// </summary>
public sealed class ConvergePolicy
{
    private const double Initial = 0.20;
    private const double Increment = 0.10;
    private const double Max = 0.99;
    private int highPasses;

    /// <summary>The share of their time for which the guest's CPUs are held back.</summary>
    public double Throttle { get; private set; }

    public void OnPassEnded(long bytesSent, long bytesDirty)
    {
        if (bytesDirty <= bytesSent / 2)
            return;
        if (++highPasses < 2)
            return;
        highPasses = 0;
        Throttle = Throttle == 0 ? Initial : Math.Min(Max, Throttle + Increment);
    }
}
