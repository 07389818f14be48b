using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Claims;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>Repairs that are a change of what is recorded, and touch no host.</summary>
internal sealed class VmPatches(PlacementRecords placements, TimeProvider clock)
{
    /// <summary>The VM as it is to be recorded, with the changes that belong to it in the unit, and what is to be told.</summary>
    public (VirtualMachine Vm, AuditFinding Finding) Apply(WriteUnit unit, VirtualMachine vm, HostId host, Discrepancy found) => found.Kind switch
    {
        FindingKind.GuestOff => (With(vm, VmCommand.Stopped), Repaired(host, found, "Recorded as stopped.")),
        FindingKind.GuestPaused => (With(vm, VmCommand.Paused), Repaired(host, found, "Recorded as paused.")),
        FindingKind.GuestResumed => (With(vm, VmCommand.Resumed), Repaired(host, found, "Recorded as running.")),
        FindingKind.LostDevice => (Away(vm, found.Attachment!, "it is another's or nobody's by now"), Repaired(host, found, "Recorded as away.")),
        FindingKind.ReturnedDevice => (Plugged(vm, found.Attachment!), Repaired(host, found, "Recorded as plugged.")),
        FindingKind.StrayAllocation => Release(unit, vm, host, found),
        FindingKind.MissingAllocation => Allocate(unit, vm, host, found),
        FindingKind.GuestRuns => (vm, new AuditFinding(
            found.Kind, host, found.Subject, found.Detail, "Left alone: start the VM to have it recorded as running, or delete it.", Repaired: false)),
        _ => throw new ArgumentOutOfRangeException(nameof(found), found.Kind, "A host has to be touched for it."),
    };

    /// <summary>The device is in the guest; a VM that has all of its own is not degraded.</summary>
    public static VirtualMachine Plugged(VirtualMachine vm, DeviceAttachment attachment)
    {
        var next = vm with { Attachments = [.. vm.Attachments.Select(a => a.Name == attachment.Name ? a with { Plugged = true } : a)] };
        var told = $"'{attachment.Name}'";
        return next with
        {
            Conditions = [.. next.Conditions.Where(c =>
                c.Type != ConditionTypes.DegradedInterface
                || (next.Attachments.Any(a => !a.Plugged) && !c.Reason.StartsWith(told, StringComparison.Ordinal)))],
        };
    }

    /// <summary>The guest is without the device.</summary>
    public VirtualMachine Away(VirtualMachine vm, DeviceAttachment attachment, string why)
    {
        var reason = $"'{attachment.Name}' is not in the guest: {why}";
        return vm with
        {
            Attachments = [.. vm.Attachments.Select(a => a.Name == attachment.Name ? a with { Plugged = false } : a)],
            Conditions =
            [
                .. vm.Conditions.Where(c => c.Type != ConditionTypes.DegradedInterface || !c.Reason.StartsWith($"'{attachment.Name}'", StringComparison.Ordinal)),
                new Condition(ConditionTypes.DegradedInterface, true, reason, clock.GetUtcNow()),
            ],
        };
    }

    public static AuditFinding Repaired(HostId? host, Discrepancy found, string outcome) => new(found.Kind, host, found.Subject, found.Detail, outcome, Repaired: true);

    public static AuditFinding LeftAlone(HostId? host, Discrepancy found, string why) => new(found.Kind, host, found.Subject, found.Detail, $"Left alone: {why}", Repaired: false);

    private static VirtualMachine With(VirtualMachine vm, VmCommand seen) => vm with { State = vm.State.Apply(seen).Value };

    private (VirtualMachine Vm, AuditFinding Finding) Release(WriteUnit unit, VirtualMachine vm, HostId host, Discrepancy found)
    {
        placements.ReleaseAllocation(unit, vm.Id, host);
        return (vm, Repaired(host, found, "Given back."));
    }

    /// <summary>Refused by the database where the host has sold that much to others: then it stays a finding.</summary>
    private (VirtualMachine Vm, AuditFinding Finding) Allocate(WriteUnit unit, VirtualMachine vm, HostId host, Discrepancy found)
    {
        placements.TakeAllocation(unit, vm, host);
        return (vm, Repaired(host, found, "Taken."));
    }
}
