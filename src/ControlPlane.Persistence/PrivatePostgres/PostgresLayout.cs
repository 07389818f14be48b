using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ControlPlane.Domain;

namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>Where things are.</summary>
/// <remarks>
/// <code>
/// DATA/postgres.lock      held for as long as a server uses the directory; holds its process id
/// DATA/postgres/          0700, PostgreSQL's user's; a link to one below /var/lib/controlplane when that user cannot get into DATA
///     data/               the cluster; made as data.new, so that a half made one is never taken for it
///     socket/             the Unix socket; a link to a short path when this one is too long for a socket
/// </code>
/// </remarks>
internal sealed class PostgresLayout
{
    /// <summary>sun_path holds 108 bytes with the closing zero.</summary>
    internal const int LongestSocketPath = 107;

    /// <summary>Where a database goes when PostgreSQL's user cannot get into the data directory.</summary>
    private const string SharedRoot = "/var/lib/controlplane";

    private static readonly SearchValues<char> Separators = SearchValues.Create(",:;'\"=");

    private const string SocketFile = ".s.PGSQL.5432";

    /// <summary>Below the data directory: the database's place itself, or the link to it.</summary>
    private readonly string home;

    private string? shortSocket;

    private PostgresLayout(string root)
    {
        Root = root;
        Lock = Path.Combine(Root, "postgres.lock");
        home = Path.Combine(Root, "postgres");
    }

    /// <summary>The server's data directory, by its real path.</summary>
    public string Root { get; }

    public string Lock { get; }

    /// <summary>The database's place by its real path: the one that PostgreSQL's user can get to.</summary>
    public string Home => new DirectoryInfo(home).LinkTarget ?? home;

    /// <summary>The cluster, by its real path: PostgreSQL's working directory, by which its processes are known.</summary>
    public string Data => Path.Combine(Home, "data");

    /// <summary>The socket's directory as PostgreSQL and its clients name it.</summary>
    public string Socket => shortSocket ?? SocketLink;

    private string SocketLink => Path.Combine(Home, "socket");

    /// <summary>Makes the data directory where it is missing.</summary>
    public static async Task<Outcome<PostgresLayout>> ForAsync(string dataDirectory, CancellationToken ct)
    {
        try
        {
            Directory.CreateDirectory(dataDirectory);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return PostgresFaults.NotWritable(dataDirectory, refused.Message);
        }

        // Links resolved, because the kernel names a process's working directory that way.
        var real = await Command.RunAsync(["realpath", "--", Path.GetFullPath(dataDirectory)], ct);
        return real.ExitCode == 0 ? new PostgresLayout(real.Output) : PostgresFaults.NotWritable(dataDirectory, $"{real.Output}.");
    }

    /// <summary>The major version that made the cluster; null when there is none.</summary>
    public async Task<int?> ReadMajorAsync(CancellationToken ct)
    {
        var file = Path.Combine(Data, "PG_VERSION");
        if (!File.Exists(file))
            return null;
        var text = (await File.ReadAllTextAsync(file, ct)).Trim();
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var major) ? major : null;
    }

    /// <summary>Makes what is not there, each directory owned by the account.</summary>
    public async Task<Outcome<Done>> PrepareAsync(OsAccount account, CancellationToken ct)
    {
        if (!Directory.Exists(home))
        {
            var homed = await MakeHomeAsync(account, ct);
            if (!homed.Succeeded)
                return homed;
        }

        if (!await account.CanEnterAsync(Home, ct))
            return PostgresFaults.NotWritable(Home, $"the user '{account.Name ?? Environment.UserName}' cannot get into it.");
        return await MakeSocketDirectoryAsync(account, ct);
    }

    /// <summary>Removes what only a running server needs.</summary>
    public void RemoveSocketDirectory()
    {
        var link = new DirectoryInfo(SocketLink);
        if (link.LinkTarget is not { } target)
            return;
        if (Directory.Exists(target))
            Directory.Delete(target, recursive: true);
        File.Delete(link.FullName);
    }

    private async Task<Outcome<Done>> MakeHomeAsync(OsAccount account, CancellationToken ct)
    {
        if (await account.CanEnterAsync(Root, ct))
            return await account.MakeDirectoryAsync(home, ct);

        // Below someone's home, such as /root: opening that to another user is not ours to do. The first name that is free, because
        // one in use may be the only copy of what another data directory at this place once held.
        Directory.CreateDirectory(SharedRoot);
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Root)).AsSpan(0, 4));
        var target = Path.Combine(SharedRoot, $"postgres-{digest}");
        for (var n = 2; Directory.Exists(target); n++)
            target = Path.Combine(SharedRoot, $"postgres-{digest}-{n}");
        var made = await account.MakeDirectoryAsync(target, ct);
        if (made.Succeeded)
        {
            File.Delete(home); // A link whose target someone removed.
            Directory.CreateSymbolicLink(home, target);
        }

        return made;
    }

    private async Task<Outcome<Done>> MakeSocketDirectoryAsync(OsAccount account, CancellationToken ct)
    {
        RemoveSocketDirectory();
        if (IsUsableForSocket(SocketLink))
            return await account.MakeDirectoryAsync(SocketLink, ct);
        var directory = Directory.CreateTempSubdirectory("cp-pg-").FullName;
        var made = await account.MakeDirectoryAsync(directory, ct);
        if (made.Succeeded)
        {
            Directory.CreateSymbolicLink(SocketLink, directory);
            shortSocket = directory;
        }

        return made;
    }

    /// <summary>Whether a socket fits below the directory, and a connection string can name it: ',' and ':' mean something there.</summary>
    internal static bool IsUsableForSocket(string directory) =>
        Encoding.UTF8.GetByteCount($"{directory}/{SocketFile}") <= LongestSocketPath && !directory.AsSpan().ContainsAny(Separators);
}
