namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>What a commit promises.</summary>
public enum Durability
{
    /// <summary>An answered write survives a crash of the process and of the machine.</summary>
    Full,

    /// <summary>No flush at all, for tests: a crash of the machine may lose or corrupt the database.</summary>
    Off,
}

/// <summary>How the private PostgreSQL is run.</summary>
/// <param name="DataDirectory">The server's data directory; the database lives in <c>postgres</c> below it.</param>
public sealed record PrivatePostgresOptions(string DataDirectory)
{
    public Durability Durability { get; init; } = Durability.Full;

    /// <summary>Where <c>postgres</c> and <c>initdb</c> are; null: looked for on the PATH and where Debian puts them.</summary>
    public string? BinDirectory { get; init; }

    /// <summary>Who runs PostgreSQL when the server is root, which PostgreSQL refuses. An existing database stays its owner's.</summary>
    public string OsUser { get; init; } = "postgres";

    public int MaxConnections { get; init; } = 100;

    /// <summary>How long a start may take; recovery after a crash of the machine is part of it.</summary>
    public TimeSpan StartTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How long an orderly stop may take; then it is stopped at once and recovers from its log at the next start.</summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Server settings that override ours, by the names of postgresql.conf.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
