using System.Globalization;
using System.Text.RegularExpressions;
using ControlPlane.Domain;

namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>One installation of PostgreSQL's server programs.</summary>
internal sealed partial record PostgresBinaries(string Directory, int Major)
{
    public const int OldestMajor = 15;

    /// <summary>Debian keeps every major version in a directory of its own and none on the PATH.</summary>
    private const string DebianRoot = "/usr/lib/postgresql";

    public string Postgres => Path.Combine(Directory, "postgres");

    public string Initdb => Path.Combine(Directory, "initdb");

    /// <summary>
    /// The newest installation; for an existing database the one of its major version, because no other can open it.
    /// </summary>
    /// <param name="databaseMajor">The existing database's major version; null when there is none yet.</param>
    public static async Task<Outcome<PostgresBinaries>> FindAsync(
        PrivatePostgresOptions options, int? databaseMajor, string databaseDirectory, CancellationToken ct)
    {
        var candidates = options.BinDirectory is { } only ? [only] : Candidates().Distinct(StringComparer.Ordinal).ToList();
        var found = new List<PostgresBinaries>();
        foreach (var directory in candidates)
        {
            if (await ProbeAsync(directory, ct) is { } binaries)
                found.Add(binaries);
        }

        found.Sort((left, right) => right.Major.CompareTo(left.Major));
        if (found.Count == 0)
            return PostgresFaults.NotFound(candidates);
        if (found[0].Major < OldestMajor)
            return PostgresFaults.TooOld(found[0]);
        if (databaseMajor is not { } major)
            return found[0];
        return found.Find(binaries => binaries.Major == major) is { } match
            ? match
            : PostgresFaults.OtherVersion(databaseDirectory, major, found.Select(binaries => binaries.Major));
    }

    /// <summary>The major version in the output of <c>postgres --version</c>: <c>postgres (PostgreSQL) 15.8 (Debian 15.8-1)</c>.</summary>
    internal static int? ParseMajor(string version) =>
        VersionPattern().Match(version) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : null;

    private static IEnumerable<string> Candidates()
    {
        foreach (var directory in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
        {
            if (File.Exists(Path.Combine(directory, "postgres")))
                yield return directory;
        }

        if (!System.IO.Directory.Exists(DebianRoot))
        {
            yield return Path.Combine(DebianRoot, "*", "bin");
            yield break;
        }

        foreach (var version in System.IO.Directory.EnumerateDirectories(DebianRoot))
            yield return Path.Combine(version, "bin");
    }

    private static async Task<PostgresBinaries?> ProbeAsync(string directory, CancellationToken ct)
    {
        // An installation without initdb (a client package, a half removed version) is none.
        if (!File.Exists(Path.Combine(directory, "postgres")) || !File.Exists(Path.Combine(directory, "initdb")))
            return null;
        var asked = await Command.RunAsync([Path.Combine(directory, "postgres"), "--version"], ct);
        return asked.ExitCode == 0 && ParseMajor(asked.Output) is { } major ? new PostgresBinaries(directory, major) : null;
    }

    [GeneratedRegex(@"\(PostgreSQL\) (\d{1,4})")]
    private static partial Regex VersionPattern();
}
