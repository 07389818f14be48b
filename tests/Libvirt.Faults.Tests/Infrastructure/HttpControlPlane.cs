using System.Net.Http.Json;
using System.Text.Json;
using ControlPlane.Lab.Hosts;
using ControlPlane.Testing;
using ControlPlane.Testing.Servers;

namespace ControlPlane.Libvirt.Faults.Tests.Infrastructure;

/// <summary>A server as users start it, with its own ticks and patience, asked over HTTP.</summary>
internal sealed class HttpControlPlane : IAsyncDisposable
{
    private readonly TestDirectory directory;

    private HttpControlPlane(TestDirectory directory, RunningServer server) => (this.directory, Server) = (directory, server);

    public RunningServer Server { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<HttpControlPlane> StartAsync(IReadOnlyDictionary<string, string>? environment = null)
    {
        var directory = TestDirectory.Create("faults");
        return new HttpControlPlane(
            directory, await RunningServer.StartInAsync(environment ?? new Dictionary<string, string>(), Path.Combine(directory.Path, "data"), Ct));
    }

    /// <summary>The operation's end, however it ended.</summary>
    public Task<JsonElement> AddHostAsync(LabHost host, Way way, IReadOnlyDictionary<string, string>? labels = null) => PostAsync("hosts?wait=60", new
    {
        name = host.Name,
        backend = new { kind = "libvirt", uri = way.Uri(host) },
        labels = new Dictionary<string, string>(labels ?? new Dictionary<string, string>()) { ["libvirt-peer-uri"] = way.Peer(host), ["libvirt-domain-type"] = "qemu" },
    });

    public async Task<JsonElement> GetAsync(string path)
    {
        try
        {
            return await Server.Http.GetFromJsonAsync<JsonElement>(path, Ct);
        }
        catch (HttpRequestException e)
        {
            throw new InvalidOperationException($"{e.Message}\n{Server.Output}", e);
        }
    }

    /// <summary>The answer; of what takes its time, the operation once it has ended.</summary>
    public async Task<JsonElement> PostAsync(string path, object body)
    {
        var accepted = await BeginAsync(path, body);
        return accepted.TryGetProperty("steps", out _) ? await EndAsync(accepted.Text("id")!) : accepted;
    }

    /// <summary>The answer; of what takes its time, the operation as it begins.</summary>
    public async Task<JsonElement> BeginAsync(string path, object body)
    {
        using var answer = await Server.Http.PostAsJsonAsync(path, body, Ct);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {await answer.Content.ReadAsStringAsync(Ct)}");
        return await answer.Content.ReadFromJsonAsync<JsonElement>(Ct);
    }

    /// <summary>That step of the operation is being done; an operation that ends before it fails the test.</summary>
    public Task UntilStepAsync(string operation, string step)
    {
        var last = "";
        return RigFleet.UntilAsync(async () =>
        {
            var now = await GetAsync($"operations/{operation}");
            last = now.GetRawText();
            return now.Expect("running").GetProperty("steps").EnumerateArray().Any(s => s.Text("name") == step && s.Text("state") == "running") ? last : null;
        }, () => $"'{step}' is being done; it is {last}");
    }

    /// <summary>The operation once it has ended, however it did.</summary>
    public async Task<JsonElement> EndAsync(string operation)
    {
        var last = "";
        var ended = await RigFleet.UntilAsync(
            async () => (last = (await GetAsync($"operations/{operation}")).GetRawText()) is var now && JsonElement.Parse(now).Text("state") is not ("pending" or "running") ? now : null,
            () => $"the operation ends; it is {last}");
        return JsonElement.Parse(ended);
    }

    /// <summary>What is at the path, as soon as it is in that state.</summary>
    public async Task<JsonElement> UntilAsync(string path, string state)
    {
        var last = "";
        var found = await RigFleet.UntilAsync(async () =>
        {
            var now = await GetAsync(path);
            last = now.GetRawText();
            return now.Text("state") == state ? now.GetRawText() : null;
        }, () => $"{path} is {state}; it is {last}");
        return JsonElement.Parse(found);
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        directory.Dispose();
    }
}

internal static class Json
{
    public static string? Text(this JsonElement element, string property) => element.GetProperty(property).GetString();

    /// <summary>A state, and in the message all there is when it is another.</summary>
    public static JsonElement Expect(this JsonElement element, string state)
    {
        Assert.True(element.Text("state") == state, $"expected {state}: {element.GetRawText()}");
        return element;
    }
}
