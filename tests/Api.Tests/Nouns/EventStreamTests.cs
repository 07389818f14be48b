using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Nouns;

/// <summary>Server-sent events: what happened comes in order, and a stream goes on where it was cut.</summary>
public sealed class EventStreamTests(ApiServer server)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_stream_resumes_after_the_last_id_without_a_gap()
    {
        var name = server.Name("net");
        var before = (await server.Admin.GetAsync("/api/v1/events?sort=-createdAt&limit=1")).Expect(200).Items.FirstOrDefault()?["id"]?.GetValue<string>() ?? "0";
        var id = (await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{name}}"}""")).Expect(201).Text("id");

        var created = await ReadUntilAsync($"subject={id}", before, "network.created");
        (await server.Admin.DeleteAsync($"/api/v1/networks/{name}")).Expect(204);
        var deleted = await ReadUntilAsync($"subject={id}", created.Id, "network.deleted");

        Assert.Equal(["network.created"], created.Types);
        Assert.Equal(["network.deleted"], deleted.Types);
    }

    [Fact]
    public async Task A_stream_shows_what_happens_while_it_is_open()
    {
        var reading = ReadUntilAsync("type=project", (await Latest()), "project.created");
        (await server.Admin.PostAsync("/api/v1/projects", $$"""{"name":"{{server.Name("project")}}"}""")).Expect(201);

        Assert.Contains("project.created", (await reading).Types);
    }

    [Fact]
    public async Task A_last_id_that_is_none_is_400()
    {
        var answer = await server.Admin.SendAsync(HttpMethod.Get, "/api/v1/events", null, [("Accept", "text/event-stream"), ("Last-Event-ID", "yesterday")]);

        Assert.Equal("Last-Event-ID", Assert.Single(answer.Expect(400).BlamedFields));
    }

    private async Task<string> Latest() =>
        (await server.Admin.GetAsync("/api/v1/events?sort=-createdAt&limit=1")).Expect(200).Items.FirstOrDefault()?["id"]?.GetValue<string>() ?? "0";

    /// <summary>Opens a stream and reads until an event of the type is there.</summary>
    private async Task<(string Id, IReadOnlyList<string> Types)> ReadUntilAsync(string query, string after, string type)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/events?{query}");
        request.Headers.TryAddWithoutValidation("Accept", "text/event-stream");
        request.Headers.TryAddWithoutValidation("Last-Event-ID", after);
        using var response = await server.Admin.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(patience.Token));
        var types = new List<string>();
        var id = after;
        while (await lines.ReadLineAsync(patience.Token) is { } line)
        {
            if (line.StartsWith("id: ", StringComparison.Ordinal))
                id = line[4..];
            if (line.StartsWith("event: ", StringComparison.Ordinal))
                types.Add(line[7..]);
            if (line.Length == 0 && types.LastOrDefault() == type)
                return (id, types);
        }
        throw new InvalidOperationException("The stream ended.");
    }
}
