namespace ControlPlane.Domain.Networks;

/// <summary>A layer-2 network that interfaces attach to.</summary>
/// <param name="Name">Unique within the installation.</param>
/// <param name="PhysicalNetwork">The name of the wire behind it; a virtual function serves it only from a pool on the same one. Null: a function of any pool serves it.</param>
/// <param name="Vlan">802.1Q tag, 1 to 4094; null: untagged.</param>
/// <param name="Mtu">Bytes, 576 to 9216; null: 1500.</param>
public sealed record Network(
    NetworkId Id, string Name, string? PhysicalNetwork, int? Vlan, int? Mtu, Generation Generation,
    DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);
