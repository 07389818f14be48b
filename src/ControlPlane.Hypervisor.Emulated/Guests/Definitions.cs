namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>Definitions by value: records compare their lists by reference, which would call a repeated call a new one.</summary>
internal static class Definitions
{
    /// <summary>True when both ask for the same domain; the epoch of the asking operation does not count.</summary>
    public static bool Same(DomainDefinition left, DomainDefinition right) =>
        left.Ref.Vm == right.Ref.Vm && left.Name == right.Name && left.Vcpus == right.Vcpus && left.MemoryMiB == right.MemoryMiB
        && left.Hugepages == right.Hugepages && left.Image == right.Image && left.Disks.SequenceEqual(right.Disks)
        && left.Interfaces.SequenceEqual(right.Interfaces) && left.Devices.SequenceEqual(right.Devices)
        && left.Labels.Count == right.Labels.Count && left.Labels.All(l => right.Labels.TryGetValue(l.Key, out var value) && value == l.Value);

    public static DomainDefinition With(this DomainDefinition definition, DomainDevice device) =>
        definition with { Devices = [.. definition.Devices, device] };

    public static DomainDefinition WithoutDevice(this DomainDefinition definition, string name) =>
        definition with { Devices = [.. definition.Devices.Where(d => d.Name != name)] };

    public static DomainDefinition With(this DomainDefinition definition, DomainInterface networkInterface) =>
        definition.Interfaces.Any(i => i.Name == networkInterface.Name)
            ? definition with { Interfaces = [.. definition.Interfaces.Select(i => i.Name == networkInterface.Name ? networkInterface : i)] }
            : definition with { Interfaces = [.. definition.Interfaces, networkInterface] };

    public static DomainDefinition WithoutInterface(this DomainDefinition definition, string name) =>
        definition with { Interfaces = [.. definition.Interfaces.Where(i => i.Name != name)] };
}
