using System.Diagnostics;
using System.Text;

namespace ControlPlane.Testing.Servers;

/// <summary>The server's program, started with any arguments, whether or not it comes up.</summary>
public sealed class ServerProgram
{
    private readonly StringBuilder output = new();
    private readonly List<string> standardOutput = [];

    private ServerProgram(Process process, string data) => (Process, Data) = (process, data);

    public Process Process { get; }

    public string Data { get; }

    /// <summary>What it wrote so far, both streams together.</summary>
    public string Output
    {
        get
        {
            lock (output)
                return output.ToString();
        }
    }

    /// <summary>The lines of its standard output alone.</summary>
    public IReadOnlyList<string> StandardOutput
    {
        get
        {
            lock (output)
                return [.. standardOutput];
        }
    }

    /// <param name="database">The connection string of an external PostgreSQL; null: a private one.</param>
    /// <param name="environment">Further variables of the program's.</param>
    public static ServerProgram Start(
        string data, IReadOnlyList<string> arguments, bool fastEmulation = false, string? database = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(Locate(), ["--data", data, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (fastEmulation)
            start.Environment["ControlPlane__FastEmulation"] = "true";
        if (database is not null)
            start.Environment["ConnectionStrings__ControlPlane"] = database;
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        // A killed program leaves the sockets of its debugger's door in the temporary directory.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        var program = new ServerProgram(new Process { StartInfo = start }, data);
        program.Process.OutputDataReceived += (_, line) => program.Add(line.Data, isStandardOutput: true);
        program.Process.ErrorDataReceived += (_, line) => program.Add(line.Data, isStandardOutput: false);
        program.Process.Start();
        program.Process.BeginOutputReadLine();
        program.Process.BeginErrorReadLine();
        return program;
    }

    private void Add(string? line, bool isStandardOutput)
    {
        if (line is null)
            return; // The end of the stream.
        lock (output)
        {
            output.AppendLine(line);
            if (isStandardOutput)
                standardOutput.Add(line);
        }
    }

    /// <summary>In the artifacts layout it lies beside this program's own directory, in the same configuration.</summary>
    private static string Locate()
    {
        var here = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        var program = Path.GetFullPath(Path.Combine(here, "..", "..", "ControlPlane.Server", Path.GetFileName(here), "ControlPlane.Server"));
        return File.Exists(program)
            ? program
            : throw new InvalidOperationException($"{program} is missing; build src/ControlPlane.Server in the same configuration.");
    }
}
