using System.Text.Json.Serialization;

namespace ControlPlane.Contracts;

[JsonConverter(typeof(KebabCaseConverter<PoolKind>))]
public enum PoolKind
{
    VirtualFunction,
    Function,
}

/// <summary>One alternative: a device belongs to the pool when every given field of one of them fits.</summary>
/// <param name="VendorId">Four hex digits.</param>
/// <param name="DeviceId">Four hex digits.</param>
/// <param name="ClassCode">Two to six hex digits from the left: <c>02</c> fits every network controller.</param>
/// <param name="Host">Id or name.</param>
/// <param name="Address">The device's own PCI address.</param>
/// <param name="PhysicalFunction">The PCI address of its maker.</param>
public sealed record PoolMatch(
    string? VendorId = null, string? DeviceId = null, string? ClassCode = null, string? Host = null, string? Address = null,
    string? PhysicalFunction = null);

/// <param name="Name">A DNS label, unique within the installation.</param>
/// <param name="Match">At least one; up to 64.</param>
/// <param name="PhysicalNetwork">The wire behind the network functions; null: serves any network.</param>
public sealed record DevicePoolRequest(string Name, PoolKind Kind, IReadOnlyList<PoolMatch> Match, string? PhysicalNetwork = null);

public sealed record PoolHostResponse(string Host, int Total, int Free);

/// <param name="Hosts">Totals and free devices by host.</param>
public sealed record DevicePoolResponse(
    string Id, string Name, PoolKind Kind, IReadOnlyList<PoolMatch> Match, string? PhysicalNetwork, int Total, int Free,
    IReadOnlyList<PoolHostResponse> Hosts, long Generation, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
