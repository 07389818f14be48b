namespace ControlPlane.Hypervisor.Emulated.Tours;

/// <summary>How large a fleet is, and what it has to do; if nothing else is said, what a busy day brings.</summary>
internal sealed record FleetLoad
{
    /// <summary>More of everything, and each failure many times as often: nobody could run such a fleet, but its mechanisms are never at rest.</summary>
    public static readonly FleetLoad Storm = new()
    {
        SenderOf = 15, Migrations = 10, ReplugEach = TimeSpan.FromSeconds(1), CrashEach = TimeSpan.FromSeconds(20), DownFor = TimeSpan.FromSeconds(10),
        LookEach = TimeSpan.FromSeconds(1),
    };

    public int Hosts { get; init; } = 100;

    public int GuestsPerHost { get; init; } = 20;

    public long MemoryMiB { get; init; } = 4096;

    /// <summary>Each of so many guests has a function of its host's NIC, with a standby; all others have a virtio interface alone.</summary>
    public int FunctionOf { get; init; } = 10;

    /// <summary>Each of so many guests sends, in turn to a guest of another host and to a station that echoes.</summary>
    public int SenderOf { get; init; } = 25;

    public int FramesPerSecond { get; init; } = 10;

    public int SentFramesPerSecond => (((Hosts * GuestsPerHost) + SenderOf - 1) / SenderOf) * FramesPerSecond;

    /// <summary>Each of so many guests writes so many times as much as usual ones.</summary>
    public int BusyOf { get; init; } = 10;

    public int BusyMiBPerSecond { get; init; } = 100;

    /// <summary>Under way at any time.</summary>
    public int Migrations { get; init; } = 2;

    /// <summary>Between two guests whose function is taken out of them and put in again.</summary>
    public TimeSpan ReplugEach { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>A host dies so long after the beginning, and again and again, one after the other.</summary>
    public TimeSpan CrashEach { get; init; } = TimeSpan.FromSeconds(150);

    /// <summary>It boots again, and then so do its guests.</summary>
    public TimeSpan DownFor { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Between two readings of the statistics of all hosts and of a page of the list of guests, as dashboards do.</summary>
    public TimeSpan LookEach { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>On a page.</summary>
    public int GuestsWatched { get; init; } = 25;

    /// <summary>Then the next page is looked at.</summary>
    public int LooksPerPage { get; init; } = 10;
}
