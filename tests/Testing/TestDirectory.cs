namespace ControlPlane.Testing;

/// <summary>
/// A directory for one test or fixture, removed at the end. What a killed run left behind is removed by the next one: each directory
/// carries a lock file that the kernel frees with its process.
/// </summary>
public sealed class TestDirectory : IDisposable
{
    private const string Prefix = "cp-test-";
    private const string LockName = ".lock";

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
        held.Dispose();
        try
        {
            Directory.Delete(Path, recursive: true);
        }
        catch (IOException)
        {
            // Another run saw it without its holder and removes it at the same time; what is left of it the next one removes.
        }
    }

    private static void RemoveAbandoned()
    {
        foreach (var directory in Directory.EnumerateDirectories(System.IO.Path.GetTempPath(), $"{Prefix}*"))
        {
            try
            {
                using (File.Open(System.IO.Path.Combine(directory, LockName), FileMode.Open, FileAccess.Write, FileShare.None))
                {
                }

                Directory.Delete(directory, recursive: true);
            }
            catch (Exception alive) when (alive is IOException or UnauthorizedAccessException)
            {
                // In use, just being made, another user's, or its PostgreSQL is still stopping: the next run looks again.
            }
        }
    }
}
