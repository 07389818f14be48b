using System.Text.Json;
using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Prerequisites;
using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Terminal;
using ControlPlane.Dev.Testing;

namespace ControlPlane.Dev.Checking;

/// <summary>Before a commit: format, analyzers and tests of what the change touches, and the rules of the whole.</summary>
internal sealed class CheckCommand(Screen screen, Repository repository)
{
    private const string Architecture = "Architecture.Tests";

    /// <param name="all">Also the tests that see the change only through projects between; the build server runs them in any case.</param>
    public async Task<int> RunAsync(bool all, CancellationToken ct)
    {
        screen.Heading("The change");
        var changed = await ChangedFilesAsync(ct);
        if (changed.Count == 0)
        {
            screen.Good("nothing is changed");
            return 0;
        }

        screen.Good($"{changed.Count} files");
        screen.Heading("Format");
        if (!await IsFormattedAsync(changed, ct))
            return 1;

        var graph = ProjectGraph.Read(repository.Root);
        var (affected, near) = (graph.Affected(changed), graph.NearTests(changed));
        string[] tests = [.. repository.TestProjects().Where(name => name == Architecture || (affected.Contains($"tests/{name}") && (all || near.Contains(name))))];
        screen.Heading($"Build with analyzers: {string.Join(", ", affected.Select(Path.GetFileName).Order(StringComparer.Ordinal))}");
        if (!await Apt.EnsureAsync(screen, Requirement.OfTests, ct))
            return 1;
        var filter = WriteFilter([.. affected, .. tests.Select(name => $"tests/{name}")]);
        if (!await DotnetBuild.RunAsync(screen, repository, filter, "Debug", ct))
            return 1;
        var left = repository.TestProjects().Where(name => affected.Contains($"tests/{name}")).Except(tests, StringComparer.Ordinal).ToList();
        if (left.Count > 0)
            screen.Warn($"built and not run, because they see the change from further away (check --all runs them): {string.Join(", ", left)}");
        return await new TestCommand(screen, repository).RunBuiltAsync(tests, ct);
    }

    /// <summary>What differs from where this branch left main; on main itself, from the last commit. New files count.</summary>
    private async Task<IReadOnlyList<string>> ChangedFilesAsync(CancellationToken ct)
    {
        var since = "HEAD";
        // A clone of another branch knows main by its remote's name alone.
        foreach (var main in new[] { "main", "origin/main" })
        {
            var (found, fork) = await Tool.CaptureAsync(["git", "merge-base", "HEAD", main], repository.Root, ct);
            if (found != 0 || fork.Count == 0)
                continue;
            since = fork[0];
            break;
        }

        var (_, differing) = await Tool.CaptureAsync(["git", "diff", "--name-only", since], repository.Root, ct);
        var (_, added) = await Tool.CaptureAsync(["git", "ls-files", "--others", "--exclude-standard"], repository.Root, ct);
        return [.. differing.Concat(added).Distinct(StringComparer.Ordinal)];
    }

    private async Task<bool> IsFormattedAsync(IReadOnlyList<string> changed, CancellationToken ct)
    {
        string[] sources = [.. changed.Where(file => file.EndsWith(".cs", StringComparison.Ordinal) && File.Exists(Path.Combine(repository.Root, file)))];
        if (sources.Length == 0)
            return true;
        // By folder: the workspace need not be loaded to look at white space, and the analyzers look at the rest in the build.
        var (code, lines) = await Tool.CaptureAsync(
            ["dotnet", "format", "whitespace", ".", "--folder", "--verify-no-changes", "--include", .. sources], repository.Root, ct);
        if (code == 0)
        {
            screen.Good("as .editorconfig says");
            return true;
        }

        foreach (var line in lines.Distinct(StringComparer.Ordinal))
            screen.Bad(line);
        screen.Bad("mend it with: dotnet format whitespace . --folder");
        return false;
    }

    private string WriteFilter(IReadOnlyList<string> directories)
    {
        var artifacts = Directory.CreateDirectory(Path.Combine(repository.Root, "artifacts")).FullName;
        var file = Path.Combine(artifacts, "check.slnf");
        var projects = directories.Distinct(StringComparer.Ordinal).Select(directory => $"{directory}/{Path.GetFileName(directory)}.csproj".Replace('/', '\\'));
        File.WriteAllText(file, JsonSerializer.Serialize(new { solution = new { path = "..\\ControlPlane.sln", projects } }));
        return file;
    }
}
