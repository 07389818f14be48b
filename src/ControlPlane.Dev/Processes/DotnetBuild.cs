using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Processes;

/// <summary>Builds with every finished project shown, and the errors alone when it fails.</summary>
internal static class DotnetBuild
{
    private const int TailLines = 25;

    public static async Task<bool> RunAsync(Screen screen, Repository repository, string target, string configuration, CancellationToken ct)
    {
        var began = TimeProvider.System.GetTimestamp();
        var projects = 0;
        var lines = new List<string>();
        var name = Path.GetFileNameWithoutExtension(target);
        // Not `dotnet build`: the SDK leaves two empty directories in the temporary directory for each one.
        IReadOnlyList<string> command =
            ["dotnet", "msbuild", target, "-restore", $"-p:Configuration={configuration}", "-m", "-v:minimal", "-tl:off", "-clp:NoSummary", "-nologo"];
        var code = await screen.WatchAsync($"building {name} ({configuration})", report => Tool.StreamAsync(command, repository.Root, line =>
        {
            lock (lines)
                lines.Add(line.Trim());
            if (line.Split(" -> ") is [var project, _])
                report($"{Interlocked.Increment(ref projects)}: {project.Trim()}");
        }, ct));

        if (code == 0)
        {
            screen.Good($"built {name} in {TimeProvider.System.GetElapsedTime(began).TotalSeconds:0} s");
            return true;
        }

        var errors = lines.Where(line => line.Contains(": error ", StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).ToList();
        foreach (var line in errors.Count > 0 ? errors : lines.TakeLast(TailLines))
            screen.Bad(line);
        screen.Bad($"{name} does not build (exit code {code})");
        return false;
    }
}
