using ControlPlane.Domain.Pci;

namespace ControlPlane.Domain.Hosts;

/// <summary>connecting -> up -> draining -> maintenance -> up; down when it stops answering. See <see cref="HostTransitions"/>.</summary>
public enum HostState
{
    /// <summary>Registered; its first inventory is not in yet.</summary>
    Connecting,
    Up,

    /// <summary>Takes no new VMs; those it has are being moved away.</summary>
    Draining,

    /// <summary>Empty, or as empty as it could be made; takes no new VMs.</summary>
    Maintenance,

    /// <summary>Does not answer.</summary>
    Down,
}

public enum BackendKind
{
    Emulated,
    Libvirt,
}

/// <summary>What executes for a host.</summary>
/// <param name="Profile">Emulated: a hardware profile's or an uploaded inventory's name.</param>
/// <param name="Uri">libvirt: the connection URI.</param>
public sealed record HostBackend(BackendKind Kind, string? Profile = null, string? Uri = null);

/// <summary>One NUMA cell's share.</summary>
public sealed record NumaCell(int Node, int Cpus, long MemoryMiB, int Hugepages2MiB = 0, int Hugepages1GiB = 0);

/// <summary>What a host has to give, before any ratio.</summary>
/// <param name="Vcpus">Logical CPUs.</param>
/// <param name="Hugepages2MiB">Pages of 2 MiB reserved by the host's kernel; they are part of <paramref name="MemoryMiB"/>.</param>
public sealed record HostCapacity(int Vcpus, long MemoryMiB, int Hugepages2MiB, int Hugepages1GiB, IReadOnlyList<NumaCell> Cells)
{
    public static readonly HostCapacity Unknown = new(0, 0, 0, 0, []);
}

/// <summary>The processor model that guests of the host see features of.</summary>
public sealed record CpuModel(string Vendor, string Name, IReadOnlyList<string> Features)
{
    public static readonly CpuModel Unknown = new("", "", []);
}

/// <summary>What a host shows of itself when asked: the answer of an inventory scan.</summary>
public sealed record HostInventory(HostCapacity Capacity, CpuModel Cpu, IReadOnlyList<PciFunction> Functions);

/// <summary>A KVM host under management.</summary>
/// <param name="StateReason">Why it is in this state, for people; null when there is nothing to say.</param>
/// <param name="CpuRatio">Virtual CPUs that may be sold per logical CPU.</param>
/// <param name="Cordoned">An operator keeps new VMs away; a lost host that comes back stays in maintenance.</param>
/// <param name="LastSeenAt">The last answer of the host.</param>
public sealed record Host(
    HostId Id, string Name, HostBackend Backend, HostState State, string? StateReason, IReadOnlyDictionary<string, string> Labels,
    HostCapacity Capacity, CpuModel Cpu, double CpuRatio, double MemoryRatio, bool Cordoned, OperationId? Operation, Generation Generation,
    DateTimeOffset? LastSeenAt, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>What may be asked of a host's state.</summary>
public enum HostCommand
{
    /// <summary>The host answered with its inventory.</summary>
    Connected,
    Drain,
    DrainFinished,
    Activate,

    /// <summary>The host did not answer in time.</summary>
    Lost,
}

public static class HostTransitions
{
    /// <summary>Every legal move is a row here; an absent one is a conflict, a replayed one gives the same state.</summary>
    public static Outcome<HostState> Apply(this HostState state, HostCommand command, bool cordoned = false) => (state, command) switch
    {
        (HostState.Connecting or HostState.Down, HostCommand.Connected) => cordoned ? HostState.Maintenance : HostState.Up,
        (HostState.Up, HostCommand.Drain) => HostState.Draining,
        (HostState.Draining, HostCommand.DrainFinished) => HostState.Maintenance,
        (HostState.Draining or HostState.Maintenance, HostCommand.Activate) => HostState.Up,
        (HostState.Connecting or HostState.Up or HostState.Draining or HostState.Maintenance, HostCommand.Lost) => HostState.Down,

        (HostState.Up or HostState.Draining or HostState.Maintenance, HostCommand.Connected) => state,
        (HostState.Draining, HostCommand.Drain) => state,
        (HostState.Maintenance, HostCommand.Drain or HostCommand.DrainFinished) => state,
        (HostState.Up, HostCommand.Activate) => state,
        (HostState.Down, HostCommand.Lost) => state,

        _ => Fault.Conflict("host-state", $"The host is {state.ToString().ToLowerInvariant()}; it cannot {command.ToString().ToLowerInvariant()}."),
    };

    /// <summary>Only a host that is up takes new VMs.</summary>
    public static bool AcceptsVms(this HostState state) => state == HostState.Up;
}
