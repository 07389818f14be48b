using System.Text.Json;
using System.Text.Json.Serialization;
using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Journal;

/// <summary>How journal lines are written: JSON, one object a line, the kind of record first.</summary>
[JsonSourceGenerationOptions(
    Converters = [typeof(VmIdJson), typeof(HostIdJson), typeof(GenerationJson), typeof(PciAddressJson), typeof(MacAddressJson), typeof(DomainRefJson), typeof(DeviceClaimJson)],
    UseStringEnumConverter = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(JournalRecord.DomainIs))]
[JsonSerializable(typeof(JournalRecord.PowerIs))]
[JsonSerializable(typeof(JournalRecord.DomainGone))]
[JsonSerializable(typeof(JournalRecord.EpochSeen))]
[JsonSerializable(typeof(JournalRecord.DeviceIs))]
[JsonSerializable(typeof(JournalRecord.VirtualFunctionsAre))]
[JsonSerializable(typeof(JournalRecord.Booted))]
[JsonSerializable(typeof(JournalRecord.HostDied))]
[JsonSerializable(typeof(JournalRecord.Departed))]
[JsonSerializable(typeof(JournalRecord.SwitchedOver))]
[JsonSerializable(typeof(SwitchOverEntry))]
[JsonSerializable(typeof(ChassisEntry))]
internal sealed partial class JournalJson : JsonSerializerContext
{
    /// <summary>Writes a record as <c>{"domain":{…}}</c>: the name says the kind.</summary>
    public static void Write(Utf8JsonWriter writer, JournalRecord record)
    {
        writer.WriteStartObject();
        switch (record)
        {
            case JournalRecord.DomainIs r: Value("domain", r, Default.DomainIs); break;
            case JournalRecord.PowerIs r: Value("power", r, Default.PowerIs); break;
            case JournalRecord.DomainGone r: Value("gone", r, Default.DomainGone); break;
            case JournalRecord.EpochSeen r: Value("epoch", r, Default.EpochSeen); break;
            case JournalRecord.DeviceIs r: Value("device", r, Default.DeviceIs); break;
            case JournalRecord.VirtualFunctionsAre r: Value("vfs", r, Default.VirtualFunctionsAre); break;
            case JournalRecord.Booted r: Value("booted", r, Default.Booted); break;
            case JournalRecord.HostDied r: Value("died", r, Default.HostDied); break;
            case JournalRecord.Departed r: Value("departed", r, Default.Departed); break;
            case JournalRecord.SwitchedOver r: Value("switched", r, Default.SwitchedOver); break;
            default: throw new InvalidOperationException($"A journal does not know {record.GetType().Name}.");
        }
        writer.WriteEndObject();

        void Value<T>(string name, T value, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> info)
        {
            writer.WritePropertyName(name);
            JsonSerializer.Serialize(writer, value, info);
        }
    }

    /// <summary>Reads a line; throws <see cref="JsonException"/> when it is none.</summary>
    public static JournalRecord Read(ReadOnlySpan<byte> line)
    {
        var reader = new Utf8JsonReader(line);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject || !reader.Read() || reader.TokenType != JsonTokenType.PropertyName)
            throw new JsonException("A journal line is an object with one property.");
        var kind = reader.GetString();
        reader.Read();
        JournalRecord? record = kind switch
        {
            "domain" => JsonSerializer.Deserialize(ref reader, Default.DomainIs),
            "power" => JsonSerializer.Deserialize(ref reader, Default.PowerIs),
            "gone" => JsonSerializer.Deserialize(ref reader, Default.DomainGone),
            "epoch" => JsonSerializer.Deserialize(ref reader, Default.EpochSeen),
            "device" => JsonSerializer.Deserialize(ref reader, Default.DeviceIs),
            "vfs" => JsonSerializer.Deserialize(ref reader, Default.VirtualFunctionsAre),
            "booted" => JsonSerializer.Deserialize(ref reader, Default.Booted),
            "died" => JsonSerializer.Deserialize(ref reader, Default.HostDied),
            "departed" => JsonSerializer.Deserialize(ref reader, Default.Departed),
            "switched" => JsonSerializer.Deserialize(ref reader, Default.SwitchedOver),
            _ => throw new JsonException($"'{kind}' is no kind of journal record."),
        };
        if (record is null || !reader.Read() || reader.TokenType != JsonTokenType.EndObject)
            throw new JsonException("A journal line is an object with one property.");
        return record;
    }
}

internal sealed class VmIdJson : JsonConverter<VmId>
{
    public override VmId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetGuid());

    public override void Write(Utf8JsonWriter writer, VmId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}

internal sealed class HostIdJson : JsonConverter<HostId>
{
    public override HostId Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetGuid());

    public override void Write(Utf8JsonWriter writer, HostId value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);
}

internal sealed class GenerationJson : JsonConverter<Generation>
{
    public override Generation Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => new(reader.GetInt64());

    public override void Write(Utf8JsonWriter writer, Generation value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}

internal sealed class PciAddressJson : JsonConverter<PciAddress>
{
    public override PciAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        PciAddress.TryParse(reader.GetString(), out var address) ? address : throw new JsonException("That is no PCI address.");

    public override void Write(Utf8JsonWriter writer, PciAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

internal sealed class MacAddressJson : JsonConverter<MacAddress>
{
    public override MacAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        MacAddress.TryParse(reader.GetString(), out var mac) ? mac : throw new JsonException("That is no MAC address.");

    public override void Write(Utf8JsonWriter writer, MacAddress value, JsonSerializerOptions options) => writer.WriteStringValue(value.ToString());
}

/// <summary>As <c>["vm", epoch]</c>: structs with constructors are not deserialized by generated code.</summary>
internal sealed class DomainRefJson : JsonConverter<DomainRef>
{
    public override DomainRef Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        reader.Read();
        var vm = reader.GetGuid();
        reader.Read();
        var epoch = reader.GetInt64();
        reader.Read();
        return new DomainRef(new VmId(vm), new Generation(epoch));
    }

    public override void Write(Utf8JsonWriter writer, DomainRef value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        writer.WriteStringValue(value.Vm.Value);
        writer.WriteNumberValue(value.Epoch.Value);
        writer.WriteEndArray();
    }
}

/// <summary>As <c>["0000:41:10.2", generation]</c>.</summary>
internal sealed class DeviceClaimJson : JsonConverter<DeviceClaim>
{
    public override DeviceClaim Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        reader.Read();
        var address = PciAddress.TryParse(reader.GetString(), out var parsed) ? parsed : throw new JsonException("That is no PCI address.");
        reader.Read();
        var generation = reader.GetInt64();
        reader.Read();
        return new DeviceClaim(address, new Generation(generation));
    }

    public override void Write(Utf8JsonWriter writer, DeviceClaim value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        writer.WriteStringValue(value.Address.ToString());
        writer.WriteNumberValue(value.Generation.Value);
        writer.WriteEndArray();
    }
}
