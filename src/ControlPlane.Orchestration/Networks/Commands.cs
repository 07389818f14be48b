using ControlPlane.Domain;

namespace ControlPlane.Orchestration.Networks;

/// <summary>A network as the caller wrote it.</summary>
public sealed record NetworkDraft(string? Name, string? PhysicalNetwork, long? Vlan, long? Mtu);

public sealed record CreateNetwork(NetworkDraft Draft);

/// <summary>The name stays: VMs and clients know the network by it.</summary>
/// <param name="Expected">The generation that If-Match named; null: any.</param>
public sealed record ReplaceNetwork(NetworkId Network, NetworkDraft Draft, Generation? Expected);

/// <summary>Refused while a VM is attached to it.</summary>
public sealed record DeleteNetwork(NetworkId Network, Generation? Expected);
