using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ControlPlane.Contracts;

/// <summary>Writes an enumeration as kebab-case strings and reads nothing else: a number would tie callers to the order of declaration.</summary>
public sealed class KebabCaseConverter<TEnum>() : JsonStringEnumConverter<TEnum>(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false)
    where TEnum : struct, Enum;

/// <summary>RFC 3339 in UTC with microseconds, the resolution of the database; any offset is read.</summary>
public sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.GetDateTimeOffset().ToUniversalTime();

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options)
    {
        Span<char> text = stackalloc char[27];
        value.UtcDateTime.TryFormat(text, out var length, Format, CultureInfo.InvariantCulture);
        writer.WriteStringValue(text[..length]);
    }
}

/// <summary>
/// How every body is read and written. Reading is strict: unknown or doubled fields, missing required ones, and null where none is
/// allowed are errors, so that a typo is never silently ignored.
/// </summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web,
    PropertyNameCaseInsensitive = false,
    NumberHandling = JsonNumberHandling.Strict,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 32,
    Converters = [typeof(UtcTimeConverter)])]
[JsonSerializable(typeof(RegisterHostRequest))]
[JsonSerializable(typeof(UpdateHostRequest))]
[JsonSerializable(typeof(DrainHostRequest))]
[JsonSerializable(typeof(HostResponse))]
[JsonSerializable(typeof(Page<HostResponse>))]
[JsonSerializable(typeof(DrainPlanResponse))]
[JsonSerializable(typeof(PciDeviceResponse))]
[JsonSerializable(typeof(Page<PciDeviceResponse>))]
[JsonSerializable(typeof(UpdatePciDeviceRequest))]
[JsonSerializable(typeof(SetVirtualFunctionCountRequest))]
[JsonSerializable(typeof(Page<IommuGroupResponse>))]
[JsonSerializable(typeof(CreateInventoryRequest))]
[JsonSerializable(typeof(InventoryResponse))]
[JsonSerializable(typeof(Page<InventorySummaryResponse>))]
[JsonSerializable(typeof(Page<ProfileResponse>))]
[JsonSerializable(typeof(DevicePoolRequest))]
[JsonSerializable(typeof(DevicePoolResponse))]
[JsonSerializable(typeof(Page<DevicePoolResponse>))]
[JsonSerializable(typeof(NetworkRequest))]
[JsonSerializable(typeof(NetworkResponse))]
[JsonSerializable(typeof(Page<NetworkResponse>))]
[JsonSerializable(typeof(CreateVirtualMachineRequest))]
[JsonSerializable(typeof(UpdateVirtualMachineRequest))]
[JsonSerializable(typeof(StopVirtualMachineRequest))]
[JsonSerializable(typeof(InterfaceRequest))]
[JsonSerializable(typeof(DeviceRequest))]
[JsonSerializable(typeof(VirtualMachineResponse))]
[JsonSerializable(typeof(Page<VirtualMachineResponse>))]
[JsonSerializable(typeof(VirtualMachineStatisticsResponse))]
[JsonSerializable(typeof(HostStatisticsResponse))]
[JsonSerializable(typeof(MigrateVirtualMachineRequest))]
[JsonSerializable(typeof(MigrationResponse))]
[JsonSerializable(typeof(Page<MigrationResponse>))]
[JsonSerializable(typeof(PlacementResponse))]
[JsonSerializable(typeof(OperationResponse))]
[JsonSerializable(typeof(Page<OperationResponse>))]
[JsonSerializable(typeof(CreateProjectRequest))]
[JsonSerializable(typeof(UpdateProjectRequest))]
[JsonSerializable(typeof(ProjectResponse))]
[JsonSerializable(typeof(Page<ProjectResponse>))]
[JsonSerializable(typeof(QuotaRequest))]
[JsonSerializable(typeof(QuotaResponse))]
[JsonSerializable(typeof(CreateTokenRequest))]
[JsonSerializable(typeof(TokenResponse))]
[JsonSerializable(typeof(CreatedTokenResponse))]
[JsonSerializable(typeof(Page<TokenResponse>))]
[JsonSerializable(typeof(EventResponse))]
[JsonSerializable(typeof(Page<EventResponse>))]
[JsonSerializable(typeof(Page<AuditEntryResponse>))]
[JsonSerializable(typeof(ProblemResponse))]
[JsonSerializable(typeof(EmptyRequest))]
[JsonSerializable(typeof(HealthResponse))]
public sealed partial class ContractsJson : JsonSerializerContext
{
    /// <summary>
    /// What reads and writes bodies. Quotes and letters beyond ASCII stay as they are: the answers are JSON and never part of a page, so
    /// they need not be safe inside one.
    /// </summary>
    public static ContractsJson Wire => Relaxed.Context;

    /// <summary>Apart, because the order in which static members of a partial class are initialized is not defined.</summary>
    private static class Relaxed
    {
        public static readonly ContractsJson Context =
            new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
    }
}
