namespace ControlPlane.Dev.Prerequisites;

/// <summary>A program that something here needs, and Debian's package that has it.</summary>
internal sealed record Requirement(string Name, string Package, Func<Machine, bool> IsPresentOn)
{
    public static readonly Requirement Postgres = new("PostgreSQL", "postgresql", machine =>
        machine.Find("postgres") is not null
        || (Directory.Exists(machine.PostgresDirectory)
            && Directory.EnumerateDirectories(machine.PostgresDirectory).Any(version => File.Exists(Path.Combine(version, "bin", "postgres")))));

    public static readonly Requirement Jq = OnPath("jq", "jq");

    public static readonly Requirement Curl = OnPath("curl", "curl");

    public static readonly Requirement Npx = OnPath("npx", "npm");

    private static Requirement OnPath(string program, string package) => new(program, package, machine => machine.Find(program) is not null);
}
