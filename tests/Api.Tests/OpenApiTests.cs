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

    [Fact]
    public async Task A_browser_is_led_to_the_page_and_the_page_asks_for_the_token()
    {
        var browser = server.Client(null);
        var page = await browser.SendAsync(HttpMethod.Get, "/openapi", null, [("Accept", "text/html,*/*")]);

        Assert.Equal("text/html", page.Expect(200).MediaType);
        Assert.Contains("token-dialog", page.Body, StringComparison.Ordinal);
        Assert.Contains("withToken(request)", (await browser.GetAsync("/openapi/page/index.js")).Expect(200).Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/openapi")]
    [InlineData("/openapi/controlplane-v1.json")]
    public async Task The_document_needs_a_token(string path)
    {
        (await server.Client(null).GetAsync(path)).Expect(401);
        Assert.Equal("3.1", (await (await server.CallerAsync("viewer")).GetAsync(path)).Expect(200).Text("openapi")[..3]);
    }

    private static string RepositoryRoot()
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(directory.FullName, "ControlPlane.sln")))
            directory = directory.Parent ?? throw new InvalidOperationException("The tests do not run from a checkout.");
        return directory.FullName;
    }
}
