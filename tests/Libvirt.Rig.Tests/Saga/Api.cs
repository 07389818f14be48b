using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using ControlPlane.Lab.Processes;

namespace ControlPlane.Libvirt.Rig.Tests.Saga;

/// <summary>The HTTP API as a user's tooling calls it.</summary>
internal sealed class Api(HttpClient http)
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public async Task<JsonElement> GetAsync(string path, CancellationToken ct)
    {
        using var answer = await http.GetAsync(new Uri(path, UriKind.Relative), ct);
        return await ReadAsync(path, answer, ct);
    }

    public async Task<JsonElement> PostAsync(string path, object body, CancellationToken ct)
    {
        using var answer = await http.PostAsJsonAsync(new Uri(path, UriKind.Relative), body, ct);
        return await ReadAsync(path, answer, ct);
    }

    /// <summary>Starts an operation and waits for its end, whatever that is.</summary>
    public async Task<JsonElement> OperateAsync(HttpMethod method, string path, object body, TimeSpan deadline, CancellationToken ct)
    {
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative)) { Content = JsonContent.Create(body) };
        using var answer = await http.SendAsync(request, ct);
        var began = await ReadAsync(path, answer, ct);
        var id = began.TryGetProperty("operationId", out var named) ? named.GetString() : began.GetProperty("id").GetString();
        return await EndAsync(id!, deadline, ct);
    }

    public async Task<JsonElement> EndAsync(string operation, TimeSpan deadline, CancellationToken ct)
    {
        var time = TimeProvider.System;
        for (var began = time.GetTimestamp(); ; await Task.Delay(LookAgain, time, ct))
        {
            var now = await GetAsync($"operations/{operation}", ct);
            if (now.GetProperty("state").GetString() is not ("pending" or "running"))
                return now;
            if (time.GetElapsedTime(began) > deadline)
                throw new LabException(string.Create(CultureInfo.InvariantCulture, $"operation {operation} has not ended within {deadline.TotalSeconds:0} s: {now}"));
        }
    }

    private static async Task<JsonElement> ReadAsync(string path, HttpResponseMessage answer, CancellationToken ct)
    {
        var text = await answer.Content.ReadAsStringAsync(ct);
        Assert.True(answer.IsSuccessStatusCode, $"{path}: {(int)answer.StatusCode} {text}");
        using var document = JsonDocument.Parse(text.Length == 0 ? "{}" : text);
        return document.RootElement.Clone();
    }
}
