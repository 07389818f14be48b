using System.Globalization;
using System.Runtime.InteropServices;

namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>
/// The processes of one cluster. The postmaster and all it forks stand in the cluster's directory, so an orphan is known by its
/// working directory and program, never by a number in a file that another process may carry by now.
/// </summary>
internal sealed class ClusterProcesses(string dataDirectory, TimeProvider time)
{
    private const int SigInt = 2;
    private const int SigQuit = 3;
    private const int SigKill = 9;

    /// <summary>How long each harder way of stopping is given after the one before it.</summary>
    private static readonly TimeSpan HardTimeout = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    /// <summary>The ids of all living processes of the cluster.</summary>
    public IReadOnlyList<int> Find()
    {
        var found = new List<int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && IsOurs(directory))
                found.Add(id);
        }

        return found;
    }

    /// <summary>
    /// Stops whatever works on the cluster: in order first, then at once (a crash to PostgreSQL, which recovers from its log), then hard.
    /// Answers whether nothing is left.
    /// </summary>
    public async Task<bool> StopAsync(TimeSpan orderlyTimeout, CancellationToken ct)
    {
        foreach (var (signal, timeout) in new[] { (SigInt, orderlyTimeout), (SigQuit, HardTimeout), (SigKill, HardTimeout) })
        {
            foreach (var id in Addressees(signal))
                _ = Kill(id, signal);
            if (await AreGoneAsync(timeout, ct))
                return true;
        }

        return false;
    }

    /// <summary>
    /// The postmaster passes a stop on to its children, and SIGINT would mean "cancel the query" to a child; only SIGKILL, or a
    /// postmaster that is no more, makes each one our business.
    /// </summary>
    private IEnumerable<int> Addressees(int signal)
    {
        var all = Find();
        return signal != SigKill && ReadPostmaster() is { } postmaster && all.Contains(postmaster) ? [postmaster] : all;
    }

    /// <summary>
    /// Looks again and again: they are the children of a server that is no more, so nobody tells this one of their end, and one that ends may
    /// have left another that was not there at the first look.
    /// </summary>
    private async Task<bool> AreGoneAsync(TimeSpan timeout, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        while (Find().Count > 0)
        {
            if (time.GetElapsedTime(began) >= timeout)
                return false;
            await Task.Delay(Poll, time, ct);
        }

        return true;
    }

    private int? ReadPostmaster()
    {
        try
        {
            var first = File.ReadLines(Path.Combine(dataDirectory, "postmaster.pid")).FirstOrDefault();
            return int.TryParse(first, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private bool IsOurs(string process) =>
        ReadLink(Path.Combine(process, "cwd")) == dataDirectory
        && ReadLink(Path.Combine(process, "exe")) is { } program && Path.GetFileName(program.AsSpan()) is "postgres" or "postgres (deleted)";

    private static string? ReadLink(string link)
    {
        try
        {
            return File.ResolveLinkTarget(link, returnFinalTarget: false)?.FullName;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null; // Ended meanwhile, or another user's and so not ours.
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int process, int signal);
}
