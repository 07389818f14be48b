using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Domain.VirtualMachines;

/// <summary>See <see cref="VmTransitions"/> for the legal moves.</summary>
public enum VmState
{
    /// <summary>Accepted and placed; not yet defined on its host.</summary>
    Pending,
    Stopped,
    Starting,
    Running,
    Paused,
    Migrating,
    Stopping,

    /// <summary>Could not be created; holds nothing but its name, and can only be deleted.</summary>
    Failed,
    Deleting,
}

/// <summary>Something an operator should know that is no state: <c>degraded-interface</c>, <c>host-unreachable</c>…</summary>
public sealed record Condition(string Type, bool Status, string Reason, DateTimeOffset Since);

/// <summary>A device in the guest's view: which of the host's functions serves which name, and where the guest sees it.</summary>
/// <param name="Name">Unique in the VM: the request's name, and for its second, third… device <c>acc0-1</c>, <c>acc0-2</c>…</param>
/// <param name="Request">The interface or device request that it serves.</param>
/// <param name="GuestAddress">Stays the same for the VM's life, also over a migration.</param>
/// <param name="Generation">Of the ownership: the fence of every host-side action on it.</param>
/// <param name="Plugged">False while it is away (in a migration, or degraded onto the standby).</param>
public sealed record DeviceAttachment(
    string Name, string Request, PciAddress Address, PciAddress GuestAddress, Generation Generation, bool Plugged);

/// <summary>An interface as it came to be: its MAC is drawn, its network resolved, its place in the guest chosen, all for the VM's life.</summary>
/// <param name="VirtioAddress">Where the guest sees the virtio device (the interface itself, or the standby); null for <see cref="AttachKind.Vf"/>.</param>
/// <param name="LinkUp">The link of the virtio device as the guest is told.</param>
public sealed record VmInterface(string Name, NetworkId Network, AttachKind Attach, MacAddress Mac, PciAddress? VirtioAddress, bool LinkUp);

/// <summary>A VM and all that is known of it.</summary>
/// <param name="Host">Where it runs, or would run; null while failed. The only place that says so: a VM is on at most one host.</param>
/// <param name="Attachments">Devices on <paramref name="Host"/>; the owner of a device is the inventory's row, this is the guest's side of it.</param>
/// <param name="Operation">The operation under way; null: none. At most one at a time.</param>
/// <param name="Generation">Grows with every change; also the epoch that fences actions on its domain.</param>
public sealed record VirtualMachine(
    VmId Id, string Name, ProjectId Project, VmSpec Spec, VmState State, HostId? Host, IReadOnlyList<VmInterface> Interfaces,
    IReadOnlyList<DeviceAttachment> Attachments, IReadOnlyList<Condition> Conditions, OperationId? Operation, Generation Generation, DateTimeOffset CreatedAt, DateTimeOffset UpdatedAt);

/// <summary>What may be asked of a VM's state. The first half starts an operation, the second ends one.</summary>
public enum VmCommand
{
    Start,
    Stop,
    Reboot,
    Pause,
    Resume,
    Migrate,
    Delete,

    /// <summary>Hot-plug or hot-unplug of a device or an interface.</summary>
    Reconfigure,

    /// <summary>The domain is defined and off.</summary>
    Stopped,
    Started,
    Paused,
    Resumed,
    Migrated,
    CreateFailed,
}

public static class VmTransitions
{
    /// <summary>Every legal move is a row here; an absent one is a conflict, a replayed result gives the same state.</summary>
    public static Outcome<VmState> Apply(this VmState state, VmCommand command) => (state, command) switch
    {
        (VmState.Stopped, VmCommand.Start) => VmState.Starting,
        (VmState.Running or VmState.Paused, VmCommand.Stop) => VmState.Stopping,
        (VmState.Running, VmCommand.Reboot) => VmState.Running,
        (VmState.Running, VmCommand.Pause) => VmState.Running,
        (VmState.Paused, VmCommand.Resume) => VmState.Paused,
        (VmState.Running, VmCommand.Migrate) => VmState.Migrating,
        (VmState.Running or VmState.Stopped, VmCommand.Reconfigure) => state,
        (VmState.Pending or VmState.Stopped or VmState.Running or VmState.Paused or VmState.Failed, VmCommand.Delete) => VmState.Deleting,

        (VmState.Pending or VmState.Starting or VmState.Stopping, VmCommand.Stopped) => VmState.Stopped,
        (VmState.Pending or VmState.Starting or VmState.Stopping, VmCommand.Started) => VmState.Running,
        (VmState.Running, VmCommand.Paused) => VmState.Paused,
        (VmState.Paused, VmCommand.Resumed) => VmState.Running,
        (VmState.Migrating, VmCommand.Migrated) => VmState.Running,
        (VmState.Pending, VmCommand.CreateFailed) => VmState.Failed,

        // What a host reports of a guest that went its own way: it powered itself off, or an operator paused it by hand.
        (VmState.Running or VmState.Paused, VmCommand.Stopped) => VmState.Stopped,
        (VmState.Stopped, VmCommand.Stopped) => state,
        (VmState.Running, VmCommand.Started or VmCommand.Resumed or VmCommand.Migrated) => state,
        (VmState.Paused, VmCommand.Paused) => state,
        (VmState.Failed, VmCommand.CreateFailed) => state,
        (VmState.Deleting, VmCommand.Delete) => state,

        _ => Fault.Conflict("vm-state", $"The VM is {state.ToString().ToLowerInvariant()}; it cannot take '{command.ToString().ToLowerInvariant()}'."),
    };
}
