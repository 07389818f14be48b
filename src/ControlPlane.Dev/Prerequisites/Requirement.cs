using ControlPlane.Dev.Processes;

namespace ControlPlane.Dev.Prerequisites;

/// <summary>A program that something here needs, and Debian's package that has it.</summary>
internal sealed record Requirement(string Name, string Package, Func<bool> IsPresent)
{
    private const string DebianPostgres = "/usr/lib/postgresql";

    /// <summary>Debian keeps PostgreSQL's server programs off the PATH, a directory per version.</summary>
    public static readonly Requirement Postgres = new("PostgreSQL", "postgresql", () =>
        Tool.Find("postgres") is not null
        || (Directory.Exists(DebianPostgres)
            && Directory.EnumerateDirectories(DebianPostgres).Any(version => File.Exists(Path.Combine(version, "bin", "postgres")))));

    public static readonly Requirement Jq = OnPath("jq", "jq");

    public static readonly Requirement Curl = OnPath("curl", "curl");

    public static readonly Requirement Npx = OnPath("npx", "npm");

    private static Requirement OnPath(string program, string package) => new(program, package, () => Tool.Find(program) is not null);
}
