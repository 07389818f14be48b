using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Extensions.Logging;

namespace ControlPlane.Persistence.PrivatePostgres;

/// <summary>One run of <c>postgres</c> as a child process, its log passed on line by line.</summary>
internal sealed partial class PostmasterProcess
{
    private const int LinesKept = 20;

    /// <summary>What PostgreSQL calls fatal to a connection and is its own coming and going.</summary>
    private static readonly string[] Lifecycle =
        ["the database system is starting up", "the database system is shutting down", "terminating connection due to administrator command"];

    private readonly Queue<string> tail = new();
    private readonly TaskCompletionSource<int> exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILogger logger;

    private PostmasterProcess(ILogger logger) => this.logger = logger;

    /// <summary>Completes with the exit code when the process has ended.</summary>
    public Task<int> Exited => exited.Task;

    /// <summary>The last lines of its log, for a fault's detail.</summary>
    public string Tail
    {
        get
        {
            lock (tail)
                return string.Join(" | ", tail);
        }
    }

    /// <summary>
    /// Starts it on a thread of its own that lives as long as the child: the kernel's parent-death signal goes out when the thread that
    /// made the child ends, and a thread of the pool may end at any time.
    /// </summary>
    public static PostmasterProcess Start(IReadOnlyList<string> command, ILogger logger)
    {
        var postmaster = new PostmasterProcess(logger);
        new Thread(() => postmaster.Run(command)) { IsBackground = true, Name = "private PostgreSQL" }.Start();
        return postmaster;
    }

    private void Run(IReadOnlyList<string> command)
    {
        try
        {
            using var process = Process.Start(Command.StartInfo(command)) ?? throw new InvalidOperationException("No process was started.");
            process.StandardInput.Close();
            process.StandardOutput.Close();
            while (process.StandardError.ReadLine() is { } line)
                Pass(line);
            process.WaitForExit();
            exited.SetResult(process.ExitCode);
        }
        catch (Win32Exception missing)
        {
            Pass(missing.Message);
            exited.SetResult(127);
        }
    }

    private void Pass(string line)
    {
        lock (tail)
        {
            tail.Enqueue(line);
            if (tail.Count > LinesKept)
                tail.Dequeue();
        }

        if ((line.StartsWith("FATAL:", StringComparison.Ordinal) || line.StartsWith("PANIC:", StringComparison.Ordinal)) && !Lifecycle.Any(line.Contains))
            LogTrouble(logger, line);
        else
            LogLine(logger, line);
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "postgres: {Line}")]
    private static partial void LogLine(ILogger logger, string line);

    [LoggerMessage(Level = LogLevel.Warning, Message = "postgres: {Line}")]
    private static partial void LogTrouble(ILogger logger, string line);
}
