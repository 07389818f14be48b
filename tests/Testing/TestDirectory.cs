namespace ControlPlane.Testing;

/// <summary>
/// A directory for one test or fixture, removed at the end. What a killed run left behind is removed by the next one: each directory
/// carries a lock file that the kernel frees with its process.
/// </summary>
public sealed class TestDirectory : IDisposable
{
    private const string Prefix = "cp-test-";
    private const string LockName = ".lock";

    /// <summary>A directory that is just being made has no lock yet, for a moment.</summary>
    private static readonly TimeSpan SettledAfter = TimeSpan.FromMinutes(1);

    private readonly FileStream held;

    private TestDirectory(string path, FileStream held) => (Path, this.held) = (path, held);

    public string Path { get; }

    /// <param name="purpose">A word for people who look into the temporary directory.</param>
    public static TestDirectory Create(string purpose)
    {
        RemoveAbandoned();
        var directory = Directory.CreateTempSubdirectory($"{Prefix}{purpose}-");
        var held = new FileStream(System.IO.Path.Combine(directory.FullName, LockName), FileMode.Create, FileAccess.Write, FileShare.None);
        // Open to others on the way through: PostgreSQL runs as another user when the tests are root's.
        File.SetUnixFileMode(directory.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return new TestDirectory(directory.FullName, held);
    }

    public void Dispose()
    {
        using (held)
            Remove(Path);
    }

    /// <summary>
    /// The lock goes last and is held until then, so no two runs remove the same directory, and what one could not remove still
    /// carries a lock by which the next one knows it. A file that comes or goes meanwhile is a PostgreSQL that is just stopping.
    /// </summary>
    private static void Remove(string directory)
    {
        try
        {
            foreach (var inner in new DirectoryInfo(directory).EnumerateFileSystemInfos().Where(inner => inner.Name != LockName))
            {
                if (inner is DirectoryInfo { LinkTarget: null } below)
                    below.Delete(recursive: true);
                else
                    inner.Delete();
            }

            Directory.Delete(directory, recursive: true);
        }
        catch (Exception busy) when (busy is IOException or UnauthorizedAccessException)
        {
            // The next run looks again.
        }
    }

    private static void RemoveAbandoned()
    {
        var old = TimeProvider.System.GetUtcNow().UtcDateTime - SettledAfter;
        foreach (var directory in Directory.EnumerateDirectories(System.IO.Path.GetTempPath(), $"{Prefix}*"))
        {
            try
            {
                if (Directory.GetLastWriteTimeUtc(directory) > old)
                    continue;
                using (File.Open(System.IO.Path.Combine(directory, LockName), FileMode.OpenOrCreate, FileAccess.Write, FileShare.None))
                    Remove(directory);
            }
            catch (Exception alive) when (alive is IOException or UnauthorizedAccessException)
            {
                // In use, or another user's.
            }
        }
    }
}
