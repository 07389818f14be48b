namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>What one migration has of the network between two hosts.</summary>
/// <param name="SwitchOverOverhead">Device state and the last handshake, beside the memory that is left.</param>
internal sealed record MigrationLink(double MiBPerSecond, TimeSpan SwitchOverOverhead)
{
    private const double MiB = 1024 * 1024;

    public TimeSpan TimeFor(long bytes) => TimeSpan.FromSeconds(bytes / (MiBPerSecond * MiB));

    public long BytesIn(TimeSpan time) => (long)(time.TotalSeconds * MiBPerSecond * MiB);
}
