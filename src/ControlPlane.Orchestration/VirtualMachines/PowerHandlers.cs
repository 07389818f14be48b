using ControlPlane.Domain;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Persistence.VirtualMachines;
using ControlPlane.Persistence.Writing;

namespace ControlPlane.Orchestration.VirtualMachines;

/// <summary>Accepts an operation on an existing VM: legal by the table, nothing else under way, one commit with its saga.</summary>
public sealed class VmOperations(VmStore vms, OperationStarter starter, MutationContext context, Announcements announcements)
{
    /// <param name="state">The saga's state, made of the VM as accepted.</param>
    /// <param name="refuse">What else stands against it, judged by the VM as it was before.</param>
    public async Task<Outcome<Operation>> StartAsync<TState>(
        VmId id, VmCommand command, string kind, Func<VirtualMachine, Outcome<TState>> state, CancellationToken ct, Generation? expected = null,
        Func<VirtualMachine, Fault?>? refuse = null) where TState : class
    {
        var vm = await vms.FindAsync(id, ct);
        if (vm is null)
            return Fault.NotFound("vm", id.ToString());
        if (refuse?.Invoke(vm) is { } refused)
            return refused;
        var accepted = Accept(vm, command, starter.NextId(), starter.Now, expected);
        if (!accepted.TryGet(out var next, out var fault))
            return fault;
        var begun = state(next);
        if (!begun.TryGet(out var first, out fault))
            return fault;
        var unit = new WriteUnit();
        vms.Update(unit, next, vm.Generation);
        announcements.VmChanged(unit, next);
        return await starter.StartAsync(unit, next.Operation!.Value, kind, new OperationTarget("vm", id.Value), next.Project, first, context, ct);
    }

    /// <summary>The VM in the hands of the operation; its new generation is the epoch of all that the operation does on the host.</summary>
    internal static Outcome<VirtualMachine> Accept(VirtualMachine vm, VmCommand command, OperationId operation, DateTimeOffset now, Generation? expected)
    {
        if (expected is { } wanted && wanted != vm.Generation)
            return new Fault(FaultKind.Stale, "stale", $"VM '{vm.Name}' is at generation {vm.Generation}, not {wanted}.");
        if (vm.Operation is { } busy)
            return Fault.Conflict("operation-in-progress", $"VM '{vm.Name}' is busy with operation {busy}; wait for it, or cancel it.");
        return vm.State.Apply(command).Map(state => vm with { State = state, Operation = operation, Generation = vm.Generation.Next(), UpdatedAt = now });
    }
}

/// <summary>Accepts the end of a VM; a running guest is powered off without being asked.</summary>
public sealed class DeleteVirtualMachineHandler(VmOperations operations)
{
    public Task<Outcome<Operation>> HandleAsync(DeleteVirtualMachine command, CancellationToken ct) => operations.StartAsync<DeleteVirtualMachineSaga.State>(
        command.Vm, VmCommand.Delete, DeleteVirtualMachineSaga.KindName, vm => new DeleteVirtualMachineSaga.State(vm), ct, command.Expected);
}

/// <summary>Starts a stopped VM where it is: its host has kept its capacity and devices.</summary>
public sealed class StartVirtualMachineHandler(VmOperations operations)
{
    public Task<Outcome<Operation>> HandleAsync(StartVirtualMachine command, CancellationToken ct) =>
        operations.StartAsync<PowerState>(command.Vm, VmCommand.Start, StartVirtualMachineSaga.KindName, vm => new PowerState(vm), ct);
}

/// <summary>Asks the guest to power off, or pulls the plug. A paused guest hears nothing, so it can only be forced.</summary>
public sealed class StopVirtualMachineHandler(VmOperations operations)
{
    public static readonly TimeSpan TimeoutMax = TimeSpan.FromHours(1);

    public async Task<Outcome<Operation>> HandleAsync(StopVirtualMachine command, CancellationToken ct)
    {
        // Force without a time pulls the plug at once.
        if (command.Timeout < TimeSpan.Zero || command.Timeout > TimeoutMax || (command.Timeout == TimeSpan.Zero && !command.Force))
            return Fault.Field(FaultKind.Impossible, "timeoutSeconds", $"must be from 1 to {TimeoutMax.TotalSeconds:0}, is {command.Timeout.TotalSeconds:0}.");
        return await operations.StartAsync<PowerState>(
            command.Vm, VmCommand.Stop, StopVirtualMachineSaga.KindName, vm => new PowerState(vm, command.Force, command.Timeout), ct,
            refuse: vm => vm.State == VmState.Paused && command.Timeout > TimeSpan.Zero
                ? Fault.Conflict("vm-paused", $"A paused guest cannot power itself off: resume '{vm.Name}' first, or stop it with force and no timeoutSeconds.")
                : null);
    }
}

/// <summary>Resets a running guest; its devices stay in it.</summary>
public sealed class RebootVirtualMachineHandler(VmOperations operations)
{
    public Task<Outcome<Operation>> HandleAsync(RebootVirtualMachine command, CancellationToken ct) =>
        operations.StartAsync<PowerState>(command.Vm, VmCommand.Reboot, RebootVirtualMachineSaga.KindName, vm => new PowerState(vm), ct);
}

/// <summary>Stops a guest's virtual CPUs; its memory and devices stay as they are.</summary>
public sealed class PauseVirtualMachineHandler(VmOperations operations)
{
    public Task<Outcome<Operation>> HandleAsync(PauseVirtualMachine command, CancellationToken ct) =>
        operations.StartAsync<PowerState>(command.Vm, VmCommand.Pause, PauseVirtualMachineSaga.KindName, vm => new PowerState(vm), ct);
}

/// <summary>Lets a paused guest's virtual CPUs run again.</summary>
public sealed class ResumeVirtualMachineHandler(VmOperations operations)
{
    public Task<Outcome<Operation>> HandleAsync(ResumeVirtualMachine command, CancellationToken ct) =>
        operations.StartAsync<PowerState>(command.Vm, VmCommand.Resume, ResumeVirtualMachineSaga.KindName, vm => new PowerState(vm), ct);
}

/// <summary>Labels only; the rest of a spec changes by operations.</summary>
public sealed class UpdateVirtualMachineHandler(
    VmStore vms, IHypervisorFleet hypervisors, BatchingWriter writer, MutationContext context, Announcements announcements, TimeProvider clock)
{
    public async Task<Outcome<VirtualMachine>> HandleAsync(UpdateVirtualMachine command, CancellationToken ct)
    {
        var errors = new FieldErrors();
        VmDraftResolver.GuestLabels(errors, command.Labels ?? new Dictionary<string, string>(), hypervisors);
        if (errors.Any)
            return errors.ToFault();
        var vm = await vms.FindAsync(command.Vm, ct);
        if (vm is null)
            return Fault.NotFound("vm", command.Vm.ToString());
        if (command.Expected is { } expected && expected != vm.Generation)
            return new Fault(FaultKind.Stale, "stale", $"VM '{vm.Name}' is at generation {vm.Generation}, not {expected}.");
        var next = vm with
        {
            Spec = vm.Spec with { Labels = command.Labels ?? vm.Spec.Labels },
            Generation = vm.Generation.Next(),
            UpdatedAt = clock.GetUtcNow(),
        };
        var unit = new WriteUnit();
        vms.Update(unit, next, vm.Generation);
        announcements.VmChanged(unit, next);
        context.Attach(unit);
        var committed = await writer.CommitAsync(unit, ct);
        return committed.Map(_ => next);
    }
}
