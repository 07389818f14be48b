using System.Buffers;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ControlPlane.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;

namespace ControlPlane.Api.Conventions;

/// <summary>What the conventions see of a bound body.</summary>
internal interface IBody
{
    /// <summary>The problem that stands in place of the value; null: there is a value.</summary>
    Answer? Refusal { get; }
}

/// <summary>Bodies of this endpoint may be larger than the 1 MiB that others may have.</summary>
internal sealed record BodyLimit(int Bytes)
{
    public static readonly BodyLimit Default = new(1024 * 1024);

    public static readonly BodyLimit Inventories = new(16 * 1024 * 1024);
}

/// <summary>The endpoint reads a JSON body of this type; the OpenAPI document is written from it.</summary>
internal sealed record BodyMetadata(Type Type);

/// <summary>
/// A JSON body, read strictly (see <see cref="ContractsJson"/>). An empty body reads as <c>{}</c>, so that a POST whose fields all have
/// defaults needs none. What cannot be read becomes a problem value and reaches the caller through <c>Pipeline.RefusalFilter</c>.
/// </summary>
internal sealed class Body<T> : IBody, IEndpointParameterMetadataProvider
    where T : class
{
    private static readonly JsonTypeInfo<T> Type = (JsonTypeInfo<T>?)ContractsJson.Wire.GetTypeInfo(typeof(T))
        ?? throw new InvalidOperationException($"{typeof(T)} is not listed in ContractsJson.");

    private readonly T? value;

    private Body(T? value, Answer? refusal) => (this.value, Refusal) = (value, refusal);

    public T Value => value ?? throw new InvalidOperationException("The body was refused.");

    public Answer? Refusal { get; }

    public static void PopulateMetadata(ParameterInfo parameter, EndpointBuilder builder) => builder.Metadata.Add(new BodyMetadata(typeof(T)));

    public static async ValueTask<Body<T>?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        var limit = (context.GetEndpoint()?.Metadata.GetMetadata<BodyLimit>() ?? BodyLimit.Default).Bytes;
        if (context.Request.ContentLength > limit)
            return Refuse(TooLarge(limit));
        var reader = context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(context.RequestAborted);
            if (read.Buffer.Length > limit)
            {
                reader.AdvanceTo(read.Buffer.End);
                return Refuse(TooLarge(limit));
            }
            if (read.IsCompleted)
            {
                var body = Parse(context, read.Buffer);
                reader.AdvanceTo(read.Buffer.End);
                return body;
            }
            reader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static Body<T> Parse(HttpContext context, in ReadOnlySequence<byte> buffer)
    {
        if (context.Request.Headers.ContainsKey(RequestDigest.KeyHeader))
            context.Features.Set(RequestDigest.Of(context, buffer));
        if (buffer.Length > 0 && !IsJson(context.Request.ContentType))
            return Refuse(Problems.Http(StatusCodes.Status415UnsupportedMediaType, "The body must be application/json."));
        var text = buffer.IsSingleSegment ? buffer.FirstSpan : buffer.ToArray();
        if (IsBlank(text))
            text = "{}"u8;
        try
        {
            if (JsonFaults.FindNul(text) is { } nul)
                return Refuse(nul);
            return JsonSerializer.Deserialize(text, Type) is { } value ? new Body<T>(value, null) : Refuse(JsonFaults.NotAnObject());
        }
        catch (JsonException e)
        {
            return Refuse(JsonFaults.From(e, Type, buffer));
        }
    }

    private static Body<T> Refuse(Answer refusal) => new(null, refusal);

    private static Answer TooLarge(int limit) =>
        Problems.Http(StatusCodes.Status413PayloadTooLarge, $"The body must be at most {limit / (1024 * 1024)} MiB.");

    private static bool IsBlank(ReadOnlySpan<byte> text) => text.IndexOfAnyExcept(" \t\r\n"u8) < 0;

    /// <summary><c>application/json</c> or a <c>+json</c> type (RFC 6839), with any parameters.</summary>
    private static bool IsJson(string? contentType)
    {
        if (contentType is null)
            return false;
        var type = contentType.AsSpan();
        var end = type.IndexOf(';');
        type = (end < 0 ? type : type[..end]).Trim();
        return type.Equals("application/json", StringComparison.OrdinalIgnoreCase)
            || (type.StartsWith("application/", StringComparison.OrdinalIgnoreCase) && type.EndsWith("+json", StringComparison.OrdinalIgnoreCase));
    }
}

/// <summary>What makes two requests with one idempotency key the same: method, path, query and body. How long the caller waits is no part of it.</summary>
internal sealed record RequestDigest(byte[] Sha256)
{
    public const string KeyHeader = "Idempotency-Key";

    public static RequestDigest Of(HttpContext context, in ReadOnlySequence<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var query = string.Join('&', context.Request.Query.Where(q => q.Key != Waiting.Parameter.Name).Select(q => $"{q.Key}={q.Value}"));
        hash.AppendData(Encoding.UTF8.GetBytes($"{context.Request.Method}\n{context.Request.Path}\n{query}\n"));
        foreach (var segment in body)
            hash.AppendData(segment.Span);
        return new RequestDigest(hash.GetHashAndReset());
    }
}
