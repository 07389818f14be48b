using System.Globalization;
using System.Text;
using ControlPlane.Domain;

namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>
/// One server per data directory. The kernel drops the lock with the process, however that ends, so whoever holds it may stop a
/// PostgreSQL that an earlier server left behind.
/// </summary>
internal sealed class DataDirectoryLock : IDisposable
{
    private readonly FileStream file;

    private DataDirectoryLock(FileStream file) => this.file = file;

    public static async Task<Outcome<DataDirectoryLock>> TakeAsync(PostgresLayout layout, CancellationToken ct)
    {
        try
        {
            // FileShare.None is flock(LOCK_EX) on Linux.
            var file = new FileStream(layout.Lock, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            file.SetLength(0);
            await file.WriteAsync(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)), ct);
            await file.FlushAsync(ct);
            return new DataDirectoryLock(file);
        }
        catch (UnauthorizedAccessException refused)
        {
            return PostgresFaults.NotWritable(layout.Root, refused.Message);
        }
        catch (IOException) when (File.Exists(layout.Lock))
        {
            return PostgresFaults.Busy(layout.Root, await ReadHolderAsync(layout.Lock, ct));
        }
        catch (IOException refused)
        {
            return PostgresFaults.NotWritable(layout.Root, refused.Message);
        }
    }

    public void Dispose() => file.Dispose();

    /// <summary>By another program, because every way of opening a file for reading here asks for a lock that the holder's excludes.</summary>
    private static async Task<string> ReadHolderAsync(string path, CancellationToken ct) =>
        (await Command.RunAsync(["cat", "--", path], ct)).Output is { Length: > 0 } id ? $"process {id}" : "just starting";
}
