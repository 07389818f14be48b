using System.Net.Http.Json;
using System.Text.Json;

namespace ControlPlane.Benchmarks.Running;

/// <summary>Operations that are waited for, and how long each of their steps took.</summary>
internal sealed class Operations(HttpClient http)
{
    private readonly List<(string Step, double Milliseconds)> steps = [];

    public async Task PostAsync(string path, object body, CancellationToken ct)
    {
        using var answer = await http.PostAsJsonAsync(path, body, ct);
        await EnsureSucceededAsync(answer, ct);
    }

    public async Task DeleteAsync(string path, CancellationToken ct)
    {
        using var answer = await http.DeleteAsync(new Uri(path, UriKind.Relative), ct);
        await EnsureSucceededAsync(answer, ct);
    }

    /// <summary>What is done at once, without an operation.</summary>
    public async Task SendAsync(HttpMethod method, string path, object body, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
        using var answer = await http.SendAsync(request, ct);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync(ct)}");
    }

    public async Task<JsonElement> GetAsync(string path, CancellationToken ct) => await http.GetFromJsonAsync<JsonElement>(path, ct);

    /// <summary>Forgets the steps so far.</summary>
    public void Clear() => steps.Clear();

    /// <summary>Each step's median since the last <see cref="Clear"/>, in the order in which they came.</summary>
    public IReadOnlyList<(string Step, double Milliseconds)> Medians() =>
        [.. steps.GroupBy(s => s.Step, (step, all) => (step, Load.Median(all.Select(s => s.Milliseconds))))];

    private async Task EnsureSucceededAsync(HttpResponseMessage answer, CancellationToken ct)
    {
        var text = await answer.Content.ReadAsStringAsync(ct);
        if (!answer.IsSuccessStatusCode)
            throw new InvalidOperationException($"{answer.RequestMessage?.RequestUri}: {(int)answer.StatusCode} {text}");
        var operation = JsonSerializer.Deserialize<JsonElement>(text);
        if (operation.GetProperty("state").GetString() != "succeeded")
            throw new InvalidOperationException($"{answer.RequestMessage?.RequestUri}: {text}");
        foreach (var step in operation.GetProperty("steps").EnumerateArray())
        {
            if (step.GetProperty("startedAt") is { ValueKind: JsonValueKind.String } began && step.GetProperty("endedAt") is { ValueKind: JsonValueKind.String } ended)
                steps.Add((step.GetProperty("name").GetString()!, (ended.GetDateTimeOffset() - began.GetDateTimeOffset()).TotalMilliseconds));
        }
    }
}
