namespace ControlPlane.Scheduling.Placements;

/// <summary>How VMs are laid out over the fleet when nothing else decides.</summary>
public enum FleetLayout
{
    /// <summary>Over all hosts: a lost host takes few VMs with it.</summary>
    Spread,

    /// <summary>On few hosts: whole hosts stay empty for large VMs or can be switched off.</summary>
    Pack,
}

/// <summary>Fleet-wide choices of the scheduler.</summary>
public sealed record SchedulingOptions
{
    public static readonly SchedulingOptions Default = new();

    public FleetLayout Layout { get; init; } = FleetLayout.Spread;

    /// <summary>How many of the best hosts by the coarse score have their devices matched before the best is taken.</summary>
    public int Finalists { get; init; } = 8;

    /// <summary>An explanation names at most so many hosts; the others are counted in its summary.</summary>
    public int MaxExplainedHosts { get; init; } = 50;
}
