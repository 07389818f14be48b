using System.Diagnostics;
using System.Globalization;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Lab.Hosts;

/// <summary>
/// One host's namespaces, held by their first process (<c>host.sh</c>). All that runs in the host is in its process namespace, so ending that
/// one process ends daemon and guests at once, and with the network namespace go its interfaces.
/// </summary>
/// <param name="directory">The host's own directory.</param>
internal sealed class HostNamespaces(string directory, string name)
{
    private static readonly TimeSpan StartDeadline = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan EndDeadline = TimeSpan.FromSeconds(20);

    /// <summary>Where the start time stands in /proc/PID/stat (proc(5)), counted from 0; a program's name with blanks would shift it, ours has none.</summary>
    private const int StartTimeField = 21;

    /// <summary>Holds the first process's standard input open; when this process dies, however it does, the host ends.</summary>
    private Process? owned;

    private string PidFile => Path.Combine(directory, "host.pid");

    private string Log => Path.Combine(directory, "host.log");

    /// <summary>The first process as the machine numbers it; null when it is not alive, or when the number is another's by now.</summary>
    public int? Pid
    {
        get
        {
            try
            {
                if (File.ReadAllText(PidFile).Split(' ') is not [var pid, var startTime])
                    return null;
                var stat = File.ReadAllText($"/proc/{pid}/stat").Split(' ');
                return stat[2] is not ("Z" or "X") && stat[StartTimeField] == startTime.Trim() ? int.Parse(pid, CultureInfo.InvariantCulture) : null;
            }
            catch (IOException)
            {
                return null;
            }
        }
    }

    /// <summary>Goes before a command that is to run inside the host; with its root too, which in a chroot is not the mount namespace's.</summary>
    public IReadOnlyList<string> Enter =>
        ["nsenter", "-t", (Pid ?? throw new LabException($"host {name} is not up")).ToString(CultureInfo.InvariantCulture), "-m", "-u", "-i", "-n", "-p", "-r", "--"];

    /// <param name="isDetached">Whether the host outlives this process.</param>
    public async Task StartAsync(bool isDetached, CancellationToken ct)
    {
        File.Delete(PidFile);
        var script = Path.Combine(directory, "host.sh");
        await File.WriteAllBytesAsync(script, EmbeddedFile.Read("host.sh"), ct);
        // Its own session: Ctrl-C at a terminal is not for the host. Its own outputs: who reads ours must not wait for the host's end.
        string[] command =
        [
            "bash", "-c", "exec \"$@\" > \"$0\" 2>&1", Log,
            "setsid", "unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--kill-child", "--propagation", "private",
            "bash", script, directory, name, .. isDetached ? ["detached"] : Array.Empty<string>(),
        ];
        var process = Process.Start(new ProcessStartInfo(command[0], command.Skip(1)) { WorkingDirectory = "/", RedirectStandardInput = true, UseShellExecute = false })
            ?? throw new InvalidOperationException("No process was started.");
        await Until.SomethingAsync(StartDeadline, () => Task.FromResult(Pid is not null || process.HasExited ? process : null),
            () => $"host {name} has not come up within {StartDeadline.TotalSeconds:0} s", ct);
        if (Pid is null)
            throw new LabException($"host {name} did not come up: {(await File.ReadAllTextAsync(Log, ct)).Trim()}");
        if (isDetached)
            process.Dispose();
        else
            owned = process;
    }

    /// <summary>Ends all that runs in the host; nothing when it is not up.</summary>
    public async Task EndAsync(CancellationToken ct)
    {
        if (Pid is { } pid)
        {
            // By the shell: a minimal system has no program of that name.
            await Shell.RequireAsync(["bash", "-c", $"kill -KILL {pid}"], ct);
            await Until.SomethingAsync(EndDeadline, () => Task.FromResult(Pid is null ? this : null), () => $"host {name} (process {pid}) does not end", ct);
        }

        if (File.Exists(PidFile))
            File.Delete(PidFile);
        owned?.Dispose();
        owned = null;
    }
}
