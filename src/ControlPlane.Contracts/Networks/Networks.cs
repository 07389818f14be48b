using System.ComponentModel.DataAnnotations;

namespace ControlPlane.Contracts;

/// <param name="Name">A DNS label, unique within the installation.</param>
/// <param name="PhysicalNetwork">The wire behind it; null: any.</param>
/// <param name="Vlan">802.1Q tag; null: untagged.</param>
/// <param name="Mtu">Bytes; null: 1500.</param>
public sealed record NetworkRequest(
    string Name, string? PhysicalNetwork = null, [property: Range(1, 4094)] int? Vlan = null, [property: Range(576, 9216)] int? Mtu = null);

public sealed record NetworkResponse(
    string Id, string Name, string? PhysicalNetwork, int? Vlan, int? Mtu, long Generation, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
