using ControlPlane.Dev.Processes;

namespace ControlPlane.Dev.Prerequisites;

/// <summary>What of the machine decides whether and how programs are installed on it.</summary>
/// <param name="SearchPath">Directories as in <c>PATH</c>.</param>
/// <param name="IsRoot">Whether packages can be installed without asking anyone.</param>
/// <param name="CanAsk">Whether someone sits at a terminal who can be asked for a password.</param>
internal sealed record Machine(string SearchPath, bool IsRoot, bool CanAsk)
{
    /// <summary>Debian keeps PostgreSQL's server programs off the PATH, a directory per version.</summary>
    public string PostgresDirectory { get; init; } = "/usr/lib/postgresql";

    /// <summary>Where what is on no PATH is looked for.</summary>
    public string Root { get; init; } = "/";

    public static Machine Here(bool canAsk) => new(Environment.GetEnvironmentVariable("PATH") ?? "", Environment.IsPrivilegedProcess, canAsk);

    /// <summary>Whether there is such a file below the root; a part of the path may be <c>*</c>, as for Debian's directory per architecture.</summary>
    public bool HasFile(string pattern) =>
        pattern.Split('/').Aggregate<string, IEnumerable<string>>([Root], (found, part) => found.Where(Directory.Exists)
            .SelectMany(directory => Directory.EnumerateFileSystemEntries(directory, part))).Any();

    public string? Find(string program) => Tool.Find(program, SearchPath);
}
