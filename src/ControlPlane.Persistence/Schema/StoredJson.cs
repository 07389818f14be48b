using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Persistence.Schema;

/// <summary>How nested values and the states of sagas are written into <c>jsonb</c> columns. A change here is a change of the schema: old rows must stay readable.</summary>
public static class StoredJson
{
    public static readonly JsonSerializerOptions Options = Create();

    public static string Write<T>(T value) => JsonSerializer.Serialize(value, Options);

    public static T Read<T>(string json) =>
        JsonSerializer.Deserialize<T>(json, Options) ?? throw new InvalidOperationException($"A stored {typeof(T).Name} is null.");

    private static JsonSerializerOptions Create()
    {
        var options = new JsonSerializerOptions(JsonSerializerDefaults.Web)
        {
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            TypeInfoResolver = new System.Text.Json.Serialization.Metadata.DefaultJsonTypeInfoResolver(),
        };
        options.Converters.Add(new HugepageSizeConverter());
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false));
        options.Converters.Add(new IdConverterFactory());
        options.Converters.Add(new PciAddressConverter());
        options.Converters.Add(new MacAddressConverter());
        options.Converters.Add(new GenerationConverter());
        return options;
    }

    private sealed class IdConverterFactory : JsonConverterFactory
    {
        public override bool CanConvert(Type typeToConvert) =>
            typeToConvert.IsValueType && typeToConvert.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IId<>));

        public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
            (JsonConverter)Activator.CreateInstance(typeof(IdConverter<>).MakeGenericType(typeToConvert))!;
    }

    private sealed class IdConverter<TId> : JsonConverter<TId> where TId : struct, IId<TId>
    {
        public override TId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => TId.From(reader.GetGuid());

        public override void Write(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);

        public override TId ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            TId.From(Guid.Parse(reader.GetString()!));

        public override void WriteAsPropertyName(Utf8JsonWriter writer, TId value, JsonSerializerOptions options) =>
            writer.WritePropertyName(value.Value.ToString());
    }

    private sealed class PciAddressConverter : JsonConverter<PciAddress>
    {
        public override PciAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            PciAddress.Parse(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, PciAddress value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }

    private sealed class MacAddressConverter : JsonConverter<MacAddress>
    {
        public override MacAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            MacAddress.Parse(reader.GetString()!);

        public override void Write(Utf8JsonWriter writer, MacAddress value, JsonSerializerOptions options) =>
            writer.WriteStringValue(value.ToString());
    }

    private sealed class GenerationConverter : JsonConverter<Generation>
    {
        public override Generation Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt64());

        public override void Write(Utf8JsonWriter writer, Generation value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
    }

    /// <summary>The API's words for page sizes; the kebab rule would cut the unit apart.</summary>
    private sealed class HugepageSizeConverter : JsonConverter<HugepageSize>
    {
        public override HugepageSize Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetString() switch
        {
            "none" => HugepageSize.None,
            "2MiB" => HugepageSize.Size2MiB,
            "1GiB" => HugepageSize.Size1GiB,
            var other => throw new JsonException($"'{other}' is no stored huge page size."),
        };

        public override void Write(Utf8JsonWriter writer, HugepageSize value, JsonSerializerOptions options) => writer.WriteStringValue(value switch
        {
            HugepageSize.Size2MiB => "2MiB",
            HugepageSize.Size1GiB => "1GiB",
            _ => "none",
        });
    }
}
