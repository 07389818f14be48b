using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.Reconcilers;

/// <summary>
/// Says of VMs that their host does not answer, and takes it back. A VM in the hands of an operation is passed over, as is one that is
/// changed at this moment: whoever calls comes back with every run.
/// </summary>
internal sealed class HostConditions(VmStore vms, HostLeases leases, BatchingWriter writer, Announcements announcements, TimeProvider clock)
{
    /// <summary>Only whoever looks after the host can say so.</summary>
    /// <returns>How many were changed.</returns>
    public Task<int> SetAsync(IReadOnlyList<VirtualMachine> here, string reason, CancellationToken ct) => ChangeAsync(
        here.Where(vm => !IsSet(vm)),
        vm => [.. Others(vm), new Condition(ConditionTypes.HostUnreachable, true, reason, clock.GetUtcNow())],
        (unit, vm) => leases.Fence(unit, vm.Host!.Value), ct);

    /// <returns>How many were changed.</returns>
    public Task<int> ClearAsync(IReadOnlyList<VirtualMachine> here, CancellationToken ct) => ChangeAsync(here.Where(IsSet), vm => [.. Others(vm)], (_, _) => { }, ct);

    public static bool IsSet(VirtualMachine vm) => vm.Conditions.Any(c => c.Type == ConditionTypes.HostUnreachable);

    private static IEnumerable<Condition> Others(VirtualMachine vm) => vm.Conditions.Where(c => c.Type != ConditionTypes.HostUnreachable);

    /// <summary>Each in a unit of its own, so that one that is refused holds up no other; the writer commits them together.</summary>
    private async Task<int> ChangeAsync(
        IEnumerable<VirtualMachine> chosen, Func<VirtualMachine, IReadOnlyList<Condition>> change, Action<WriteUnit, VirtualMachine> require, CancellationToken ct)
    {
        var committed = await Task.WhenAll(chosen.Where(vm => vm.Operation is null).Select(vm =>
        {
            var next = vm with { Conditions = change(vm), Generation = vm.Generation.Next(), UpdatedAt = clock.GetUtcNow() };
            var unit = new WriteUnit();
            require(unit, vm);
            vms.Update(unit, next, vm.Generation);
            announcements.VmChanged(unit, next);
            return writer.CommitAsync(unit, ct);
        }));
        return committed.Count(c => c.Succeeded);
    }
}
