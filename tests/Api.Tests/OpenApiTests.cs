using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests;

/// <summary>The committed document is the running one. <c>REFRESH_SNAPSHOTS=1</c> writes it anew.</summary>
public sealed class OpenApiTests(ApiServer server)
{
    [Fact]
    public async Task The_committed_document_is_what_the_server_says()
    {
        var running = (await server.Admin.GetAsync("/openapi/controlplane-v1.json")).Expect(200).Body;
        var file = Path.Combine(RepositoryRoot(), "openapi", "controlplane-v1.json");
        if (Environment.GetEnvironmentVariable("REFRESH_SNAPSHOTS") == "1")
            await File.WriteAllTextAsync(file, running);

        Assert.Equal(await File.ReadAllTextAsync(file), running);
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "ControlPlane.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException("The tests do not run from a checkout.");
        return directory.FullName;
    }
}
