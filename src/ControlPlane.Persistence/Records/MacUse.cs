using ControlPlane.Domain;
using ControlPlane.Domain.Networks;

namespace ControlPlane.Persistence.Records;

/// <summary>An interface's claim on its MAC address, and what keeps its network from being deleted.</summary>
public sealed record MacUse(MacAddress Mac, VmId Vm, string Interface, NetworkId Network);
