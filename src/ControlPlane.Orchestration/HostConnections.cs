using ControlPlane.Domain;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Sagas;
using ControlPlane.Scheduling;

namespace ControlPlane.Orchestration;

/// <summary>The hypervisor of a host, by the host's id: what every step asks for first.</summary>
public sealed class HostConnections(FleetDirectory directory, HostStore hosts, FleetSnapshot snapshot, IHypervisorFleet fleet)
{
    /// <summary>A fault of kind Unavailable when the host does not answer, and a final one when there is no such host.</summary>
    public ValueTask<Outcome<IHypervisor>> OpenAsync(HostId host, CancellationToken ct) =>
        directory.FindHost(host) is { } record ? fleet.OpenAsync(record, ct) : OpenUnknownAsync(host, ct);

    /// <summary>A saga that was taken over from another server may be about a host that was added there.</summary>
    private async ValueTask<Outcome<IHypervisor>> OpenUnknownAsync(HostId id, CancellationToken ct)
    {
        if (await hosts.FindAsync(id, ct) is not { } host)
            return Fault.NotFound("host", id.ToString());
        directory.Set(host);
        if (directory.FindHost(id) is null)
            return Fault.NotFound("host", id.ToString()); // Removed while it was read.
        snapshot.UpsertHost(host);
        return await fleet.OpenAsync(host, ct);
    }

    /// <summary>One action on a host as a whole saga step: done, tried again when the host is silent, failed when it says no.</summary>
    internal async Task<StepOutcome<TState>> ActAsync<TState>(
        TState state, HostId? host, Func<IHypervisor, Task<Outcome<Done>>> act, CancellationToken ct) where TState : class
    {
        var opened = await OpenAsync(host ?? throw new InvalidOperationException("A VM that has no host is not acted upon."), ct);
        if (!opened.TryGet(out var hypervisor, out var fault))
            return fault.ToOutcome<TState>();
        var acted = await act(hypervisor);
        return acted.Fault is { } refused ? refused.ToOutcome<TState>() : StepOutcome<TState>.Done(state);
    }
}

internal static class DomainRefs
{
    /// <summary>The VM as its host is to know it: a record's generation at acceptance is the epoch of everything the operation does.</summary>
    public static DomainRef Ref(this VirtualMachine vm) => new(vm.Id, vm.Generation);
}
