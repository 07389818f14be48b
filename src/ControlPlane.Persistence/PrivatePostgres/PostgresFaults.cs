using ControlPlane.Domain;

namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>Why the private PostgreSQL does not run, each with what mends it.</summary>
internal static class PostgresFaults
{
    public static Fault NotFound(IEnumerable<string> lookedIn) => Fault.Unavailable("postgres-not-found",
        $"PostgreSQL {PostgresBinaries.OldestMajor} or newer is not installed (looked in {string.Join(", ", lookedIn)}). "
        + "Install it with: apt-get install postgresql. Or name a database in ConnectionStrings__ControlPlane.");

    public static Fault TooOld(PostgresBinaries newest) => Fault.Unavailable("postgres-too-old",
        $"The newest PostgreSQL found is {newest.Major} in {newest.Directory}; {PostgresBinaries.OldestMajor} or newer is needed. "
        + "Install it with: apt-get install postgresql.");

    public static Fault OtherVersion(string directory, int wanted, IEnumerable<int> found) => Fault.Unavailable("postgres-version-mismatch",
        $"The database in {directory} was made by PostgreSQL {wanted}; installed: {string.Join(", ", found)}. "
        + $"Install that version with: apt-get install postgresql-{wanted}. Or move the database over with pg_upgrade.");

    public static Fault Busy(string dataDirectory, string holder) => Fault.Conflict("data-directory-busy",
        $"Another server ({holder}) uses {dataDirectory}. Stop it, or give this one a directory of its own with --data.");

    public static Fault OrphanStays(string directory, IEnumerable<int> processes) => Fault.Conflict("postgres-orphan",
        $"A PostgreSQL of an earlier run still works on {directory} and does not stop (processes {string.Join(", ", processes)}).");

    public static Fault NotWritable(string directory, string why) => Fault.Unavailable("data-directory-not-writable",
        $"{directory} cannot be written: {why} Give it to the user that runs the server, or name another one with --data.");

    public static Fault NoSuchUser(string user) => Fault.Unavailable("postgres-user-missing",
        $"PostgreSQL refuses to run as root, and there is no user '{user}' to run it as. "
        + $"Create it with: useradd --system {user}. Or run the server as another user.");

    public static Fault InitializationFailed(string output) => Fault.Unavailable("postgres-init-failed", $"initdb failed: {output}");

    public static Fault StartFailed(string log) => Fault.Unavailable("postgres-start-failed", $"PostgreSQL ended while it was starting: {log}");

    public static Fault StartTimedOut(TimeSpan timeout, string log) => Fault.Unavailable("postgres-start-timeout",
        $"PostgreSQL did not take connections within {timeout.TotalSeconds:0} s: {log}");
}
