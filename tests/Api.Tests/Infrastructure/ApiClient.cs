using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace ControlPlane.Api.Tests.Infrastructure;

/// <summary>Calls with the body as text, because what a caller really sends is what is tested.</summary>
public sealed class ApiClient(HttpClient http)
{
    public HttpClient Http => http;

    public Task<ApiAnswer> GetAsync(string path) => SendAsync(HttpMethod.Get, path);

    public Task<ApiAnswer> PostAsync(string path, string? body = null, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, path, body, headers);

    public Task<ApiAnswer> PutAsync(string path, string body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Put, path, body, headers);

    public Task<ApiAnswer> PatchAsync(string path, string body, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Patch, path, body, headers);

    public Task<ApiAnswer> DeleteAsync(string path, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Delete, path, null, headers);

    public async Task<ApiAnswer> SendAsync(
        HttpMethod method, string path, string? body = null, (string Name, string Value)[]? headers = null, string mediaType = "application/json")
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(mediaType);
        }
        foreach (var (name, value) in headers ?? [])
            request.Headers.TryAddWithoutValidation(name, value);
        using var response = await http.SendAsync(request);
        return new ApiAnswer(
            (int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Content.Headers.ContentType?.MediaType,
            response.Headers.ETag?.ToString(), response.Headers.Location?.ToString(), response.Headers.Contains("Idempotency-Replayed"));
    }
}

/// <summary>An answer, read whole.</summary>
public sealed record ApiAnswer(int Status, string Body, string? MediaType, string? ETag, string? Location, bool Replayed)
{
    public JsonNode Json => JsonNode.Parse(Body)!;

    /// <summary>The problem's stable code.</summary>
    public string Code => Text("code");

    public string Text(string field) => Json[field]!.GetValue<string>();

    public IEnumerable<JsonNode> Items => Json["items"]!.AsArray().Select(i => i!);

    /// <summary>Names of the fields that a problem blames.</summary>
    public IEnumerable<string> BlamedFields => (Json["errors"] as JsonObject)?.Select(e => e.Key) ?? [];

    public ApiAnswer Expect(int status)
    {
        Assert.True(Status == status, $"Expected {status}, got {Status}: {Body}");
        return this;
    }
}
