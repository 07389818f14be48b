using System.ComponentModel;
using System.Diagnostics;

namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>Runs a short program to its end.</summary>
internal static class Command
{
    internal readonly record struct Result(int ExitCode, string Output);

    /// <summary>The exit code and both outputs together; a program that cannot be started answers 127, as a shell would.</summary>
    public static async Task<Result> RunAsync(IReadOnlyList<string> command, CancellationToken ct)
    {
        try
        {
            using var process = Process.Start(StartInfo(command)) ?? throw new InvalidOperationException("No process was started.");
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var errors = process.StandardError.ReadToEndAsync(ct);
            await process.WaitForExitAsync(ct);
            return new Result(process.ExitCode, (await output + await errors).Trim());
        }
        catch (Win32Exception missing)
        {
            return new Result(127, missing.Message);
        }
    }

    /// <summary>
    /// The start of a program with its streams redirected, in a directory every user may stand in, and without the PG* variables
    /// of the caller's environment, which would lead PostgreSQL's programs to another server.
    /// </summary>
    public static ProcessStartInfo StartInfo(IReadOnlyList<string> command)
    {
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = "/",
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var name in start.Environment.Keys.Where(key => key.StartsWith("PG", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        start.Environment["LC_ALL"] = "C"; // Messages in English: they are read by our log.
        return start;
    }
}
