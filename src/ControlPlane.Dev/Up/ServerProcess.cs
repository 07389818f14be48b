using System.Diagnostics;
using System.Globalization;
using ControlPlane.Dev.Processes;

namespace ControlPlane.Dev.Up;

/// <summary>The server as a child: its output is ours, and it is asked to stop when we are, or when we die.</summary>
internal sealed class ServerProcess
{
    private readonly TaskCompletionSource<int> started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the exit code.</summary>
    public Task<int> Exited => exited.Task;

    public static ServerProcess Start(string program, IReadOnlyList<string> arguments, string directory)
    {
        var server = new ServerProcess();
        string[] command = Tool.Find("setpriv") is { } setpriv ? [setpriv, "--pdeathsig=TERM", "--", program, .. arguments] : [program, .. arguments];
        // The kernel sends the parent-death signal when the thread that made the child ends, so that thread waits for the child.
        new Thread(() => server.Run(new ProcessStartInfo(command[0], command.Skip(1)) { WorkingDirectory = directory, UseShellExecute = false }))
        {
            IsBackground = true,
            Name = "server",
        }.Start();
        return server;
    }

    /// <summary>SIGTERM, and SIGKILL for one that does not stop within the grace.</summary>
    public async Task<int> StopAsync(TimeSpan grace)
    {
        var id = (await started.Task).ToString(CultureInfo.InvariantCulture);
        foreach (var signal in new[] { "-TERM", "-KILL" })
        {
            await Tool.CaptureAsync(["kill", signal, id], "/", CancellationToken.None);
            if (await Task.WhenAny(exited.Task, Task.Delay(grace, TimeProvider.System, CancellationToken.None)) == exited.Task)
                break;
        }

        return await exited.Task;
    }

    private void Run(ProcessStartInfo start)
    {
        try
        {
            using var process = Process.Start(start) ?? throw new InvalidOperationException("No process was started.");
            started.SetResult(process.Id);
            process.WaitForExit();
            exited.SetResult(process.ExitCode);
        }
        catch (System.ComponentModel.Win32Exception missing)
        {
            started.TrySetException(missing);
            exited.TrySetResult(Tool.NotFound);
        }
    }
}
