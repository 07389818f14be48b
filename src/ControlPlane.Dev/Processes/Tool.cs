using System.ComponentModel;
using System.Diagnostics;

namespace ControlPlane.Dev.Processes;

/// <summary>Runs other programs. A program that is not there answers 127, as in a shell; cancelling ends it and all it started.</summary>
internal static class Tool
{
    public const int NotFound = 127;

    /// <summary>Runs with both outputs read line by line.</summary>
    public static async Task<int> StreamAsync(IReadOnlyList<string> command, string directory, Action<string> onLine, CancellationToken ct)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        return await RunAsync(start, process => Task.WhenAll(ReadAsync(process.StandardOutput, onLine), ReadAsync(process.StandardError, onLine)), ct);
    }

    /// <summary>Runs on the caller's own terminal, for programs that ask or show something themselves.</summary>
    public static Task<int> AttachedAsync(IReadOnlyList<string> command, string directory, CancellationToken ct) =>
        RunAsync(new ProcessStartInfo(command[0], command.Skip(1)) { WorkingDirectory = directory, UseShellExecute = false }, _ => Task.CompletedTask, ct);

    /// <summary>Runs a short program and answers its exit code and all it wrote.</summary>
    public static async Task<(int ExitCode, IReadOnlyList<string> Lines)> CaptureAsync(IReadOnlyList<string> command, string directory, CancellationToken ct)
    {
        var lines = new List<string>();
        var code = await StreamAsync(command, directory, line =>
        {
            lock (lines)
                lines.Add(line);
        }, ct);
        return (code, lines);
    }

    /// <summary>Where a program is on the PATH; null when it is not there.</summary>
    public static string? Find(string program) => Find(program, Environment.GetEnvironmentVariable("PATH") ?? "");

    public static string? Find(string program, string searchPath) =>
        searchPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => Path.Combine(directory, program)).FirstOrDefault(File.Exists);

    private static async Task<int> RunAsync(ProcessStartInfo start, Func<Process, Task> read, CancellationToken ct)
    {
        try
        {
            using var process = Process.Start(start) ?? throw new InvalidOperationException("No process was started.");
            var reading = read(process);
            try
            {
                await process.WaitForExitAsync(ct);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }

            await reading;
            return process.ExitCode;
        }
        catch (Win32Exception)
        {
            return NotFound;
        }
    }

    private static async Task ReadAsync(StreamReader reader, Action<string> onLine)
    {
        while (await reader.ReadLineAsync() is { } line)
            onLine(line);
    }
}
