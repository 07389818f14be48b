namespace LibvirtSharp;

/// <summary>What a <see cref="VirSession"/> connects to and how patient it is.</summary>
/// <param name="Uri">As for <see cref="VirConnect.Open"/>.</param>
public sealed record VirSessionOptions(string Uri)
{
    /// <summary>Which events it collects.</summary>
    public VirEventKinds Events { get; init; } = VirEventKinds.All;

    /// <summary>As for <see cref="VirConnect.Subscribe"/>.</summary>
    public int EventCapacity { get; init; } = VirConnect.DefaultEventCapacity;

    /// <summary>How the connection is opened.</summary>
    public VirConnectFlags Flags { get; init; } = VirConnectFlags.None;

    /// <summary>How long one try to open may take.</summary>
    public TimeSpan OpenTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whole seconds of silence after which the daemon is asked whether it is there; zero: never.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How many of these may stay unanswered.</summary>
    public int KeepAliveCount { get; init; } = 3;

    /// <summary>The pause before the first try after a failure; it doubles with each further one.</summary>
    public TimeSpan PauseMin { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>The longest pause between two tries.</summary>
    public TimeSpan PauseMax { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The clock that the timeout and the pauses are measured by.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
