using ControlPlane.Dev.Checkout;
using ControlPlane.Dev.Prerequisites;
using ControlPlane.Dev.Processes;
using ControlPlane.Dev.Terminal;

namespace ControlPlane.Dev.Authoring;

/// <summary>Writes the OpenAPI document from the running endpoints and lints it.</summary>
internal sealed class OpenApiCommand(Screen screen, Repository repository)
{
    private const string Spectral = "@stoplight/spectral-cli@6";

    public async Task<int> RunAsync(CancellationToken ct)
    {
        screen.Heading("Writing the document");
        if (!await DotnetBuild.RunAsync(screen, repository, repository.SourceProject("ControlPlane.Server"), "Debug", ct))
            return 1;
        var before = File.Exists(repository.OpenApiDocument) ? await File.ReadAllTextAsync(repository.OpenApiDocument, ct) : "";
        Directory.CreateDirectory(Path.GetDirectoryName(repository.OpenApiDocument)!);
        var program = repository.Program("ControlPlane.Server", "ControlPlane.Server", "Debug");
        var (code, lines) = await Tool.CaptureAsync([program, "--write-openapi", repository.OpenApiDocument], repository.Root, ct);
        if (code != 0)
        {
            foreach (var line in lines)
                screen.Quiet(line);
            screen.Bad($"the server could not write it (exit code {code})");
            return 1;
        }

        var changed = before != await File.ReadAllTextAsync(repository.OpenApiDocument, ct);
        screen.Good($"{Path.GetRelativePath(repository.Root, repository.OpenApiDocument)} {(changed ? "changed: review and commit it" : "is as committed")}");
        return await LintAsync(ct);
    }

    private async Task<int> LintAsync(CancellationToken ct)
    {
        screen.Heading("Linting it with Spectral");
        if (!await Apt.EnsureAsync(screen, [Requirement.Npx], ct))
            return 1;
        var (code, lines) = await Tool.CaptureAsync(
            ["npx", "--yes", Spectral, "lint", "--ruleset", repository.OpenApiRules, "--fail-severity", "warn", repository.OpenApiDocument], repository.Root, ct);
        foreach (var line in lines.Where(line => line.Length > 0))
            screen.Plain($"    {line}");
        if (code == 0)
            screen.Good("no errors, no warnings");
        else
            screen.Bad($"Spectral ended with exit code {code}; when it could not be fetched, run this again where npm's registry is reached");
        return code == 0 ? 0 : 1;
    }
}
