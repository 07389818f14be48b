using System.ComponentModel;
using System.Diagnostics;

namespace ControlPlane.Lab.Processes;

/// <summary>How a program ended and all it wrote, both outputs together.</summary>
public sealed record ShellResult(int ExitCode, string Output)
{
    public bool Succeeded => ExitCode == 0;
}

/// <summary>Runs the system's programs by which the rig is made. Cancelling ends the program and all it started.</summary>
internal static class Shell
{
    private const int NotFound = 127;

    private const int OutputShownMax = 2000;

    /// <summary>The output of a program that must succeed.</summary>
    public static async Task<string> RequireAsync(IReadOnlyList<string> command, CancellationToken ct)
    {
        var result = await RunAsync(command, ct);
        return result.Succeeded ? result.Output : throw Failure(command, result);
    }

    public static LabException Failure(IReadOnlyList<string> command, ShellResult result)
    {
        var output = result.Output.Length <= OutputShownMax ? result.Output : $"…{result.Output[^OutputShownMax..]}";
        return new LabException($"`{string.Join(' ', command)}` ended with exit code {result.ExitCode}: {output.Trim()}");
    }

    public static async Task<ShellResult> RunAsync(IReadOnlyList<string> command, CancellationToken ct)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        // Messages are looked at; they are to be the same on every machine.
        start.Environment["LC_ALL"] = "C";
        try
        {
            using var process = Process.Start(start) ?? throw new InvalidOperationException("No process was started.");
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
            var errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            try
            {
                await process.WaitForExitAsync(ct);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                throw;
            }

            return new ShellResult(process.ExitCode, await output + await errors);
        }
        catch (Win32Exception missing)
        {
            return new ShellResult(NotFound, missing.Message);
        }
    }
}
