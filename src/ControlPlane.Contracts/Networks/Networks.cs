namespace ControlPlane.Contracts;

/// <param name="Name">A DNS label, unique within the installation.</param>
/// <param name="PhysicalNetwork">The wire behind it; null: any.</param>
/// <param name="Vlan">802.1Q tag, 1 to 4094; null: untagged.</param>
/// <param name="Mtu">Bytes, 576 to 9216; null: 1500.</param>
public sealed record NetworkRequest(string Name, string? PhysicalNetwork = null, int? Vlan = null, int? Mtu = null);

public sealed record NetworkResponse(
    string Id, string Name, string? PhysicalNetwork, int? Vlan, int? Mtu, long Generation, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
