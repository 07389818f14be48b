using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration.Migrations;

/// <summary>
/// How the devices leave the guest before the copy and come back after it: the standby carries the traffic in between, each guest's
/// acknowledgement has its own deadline, and what cannot come back leaves the guest degraded but running.
/// </summary>
internal sealed class DeviceTravel(HostConnections hosts, DomainDefinitions definitions, MigrationTarget targets, MigrationRecords records)
{
    /// <summary>
    /// The domain as the target's VMM is to listen for it: with those devices only whose state travels, and with the standbys up that carry
    /// the traffic of the others when the guest arrives.
    /// </summary>
    public DomainDefinition IncomingDefinition(MigrationProgress s)
    {
        var served = Served(s);
        var interfaces = s.Vm.Interfaces.Select(i => i with { LinkUp = i.LinkUp || served.Contains(i.Name) });
        return definitions.Define(s.Vm with { Interfaces = [.. interfaces] }, s.Vm.Generation, s.Devices.Where(d => d.Method == DeviceMethod.Vfio).Select(d => d.On!));
    }

    public async Task<StepOutcome<MigrationProgress>> RaiseStandbyAsync(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        var served = Served(s);
        var down = s.Vm.Interfaces.Where(i => served.Contains(i.Name) && !i.LinkUp).Select(i => i.Name).ToList();
        var set = await SetStandbysAsync(s, down, up: true, ct);
        return set.Fault is { } fault ? fault.ToOutcome<MigrationProgress>() : StepOutcome<MigrationProgress>.Done(s with { RaisedStandbys = down });
    }

    public async Task<StepOutcome<MigrationProgress>> LowerStandbyAsync(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        // The step may have half run without having said which it raised; those that were down before are to be down again.
        var raised = s.RaisedStandbys ?? [.. s.Vm.Interfaces.Where(i => i.Attach == AttachKind.Failover && !i.LinkUp).Select(i => i.Name)];
        var set = await SetStandbysAsync(s, raised, up: false, ct);
        return set.Fault is { } fault && !context.GivesUpOn(fault)
            ? fault.ToOutcome<MigrationProgress>()
            : StepOutcome<MigrationProgress>.Done(s with { RaisedStandbys = null });
    }

    /// <summary>Every device that cannot travel leaves the guest, each with the whole of the caller's deadline for its acknowledgement.</summary>
    public async Task<StepOutcome<MigrationProgress>> UnplugAsync(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Source, ct);
        if (!opened.TryGet(out var source, out var fault))
            return fault.ToOutcome<MigrationProgress>();
        var leaving = s.Devices.Where(d => d.LeavesGuest).ToList();
        var left = await Task.WhenAll(leaving.Select(async device =>
        {
            var began = context.Now;
            var outcome = await source.UnplugAsync(s.Vm.Ref(), device.Name, s.Request.UnplugTimeout, ct);
            return (Device: device, Outcome: outcome, Took: context.Now - began);
        }));
        var next = s with { UnplugBeganAt = s.UnplugBeganAt ?? context.StartedAt };
        foreach (var (device, outcome, took) in left)
        {
            if (!outcome.TryGet(out var result, out fault))
                return fault.ToOutcome<MigrationProgress>();
            if (result != UnplugResult.Unplugged)
                return StepOutcome<MigrationProgress>.Fail(Unwilling(device, result, s.Request.UnplugTimeout));
            next = next.With(device.Name, d => d with { Unplug = took });
        }
        return StepOutcome<MigrationProgress>.Done(next, records.DevicesAway(next, context.Now));
    }

    /// <summary>Undo: the guest gets its own functions back. Those that never left are there already, which changes nothing.</summary>
    public async Task<StepOutcome<MigrationProgress>> ReplugSourceAsync(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Source, ct);
        if (!opened.TryGet(out var source, out var fault))
            return context.GivesUpOn(fault) ? StepOutcome<MigrationProgress>.Done(s) : fault.ToOutcome<MigrationProgress>();
        var next = s;
        foreach (var device in s.Devices.Where(d => d.LeavesGuest))
        {
            var plugged = await source.PlugAsync(s.Vm.Ref(), definitions.Device(s.Vm, device.Source), ct);
            if (plugged.Fault is not { } refused)
                continue;
            if (refused.IsTransient() && !context.GivesUpOn(refused))
                return refused.ToOutcome<MigrationProgress>();
            next = next.With(device.Name, d => d with { Lost = refused.Detail });
        }
        return StepOutcome<MigrationProgress>.Done(next, records.DevicesBack(next, context.Now));
    }

    /// <summary>
    /// Plugs what the guest is waiting for on the host where it runs. A function that cannot be plugged is replaced by another like it;
    /// where there is none, the guest goes on without it and the VM says so.
    /// </summary>
    public async Task<StepOutcome<MigrationProgress>> ReplugAsync(MigrationProgress s, StepContext context, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Home, ct);
        if (!opened.TryGet(out var home, out var fault))
            return HomeIsSilent(s, context, fault);
        var next = s;
        foreach (var device in s.Devices.Where(d => d.LeavesGuest && d.Replug is null && d.Lost is null))
        {
            var began = context.Now;
            var attachment = s.Landed == SwitchOverResult.OnTarget ? device.On! : device.Source;
            var plugged = await home.PlugAsync(s.Vm.Ref(), definitions.Device(s.Vm, attachment), ct);
            if (plugged.Fault is { } refused)
            {
                if (refused.IsTransient())
                    return HomeIsSilent(next, context, refused);
                var replaced = await targets.ReplaceAsync(next, device, home, refused, ct);
                if (!replaced.TryGet(out next!, out fault))
                    return HomeIsSilent(s, context, fault);
            }
            var took = context.Now - began;
            next = next.With(device.Name, d => d with { Replug = took });
        }
        next = await LowerArrivedAsync(home, next, ct);
        next = await MeasureAsync(home, next, ct);
        return StepOutcome<MigrationProgress>.Done(next, records.DevicesBack(next, context.Now));
    }

    /// <summary>The interfaces whose standby stands in for a function that is away.</summary>
    private static HashSet<string> Served(MigrationProgress s) =>
        s.Devices.Where(d => d.Method == DeviceMethod.Failover).Select(d => d.Source.Request).ToHashSet(StringComparer.Ordinal);

    private static SagaFailure Unwilling(Traveller device, UnplugResult result, TimeSpan deadline) => result == UnplugResult.Refused
        ? new SagaFailure("guest-refused-unplug", $"The guest refused to let '{device.Name}' go.")
        : new SagaFailure("unplug-timed-out", $"The guest did not acknowledge the unplug of '{device.Name}' within {deadline.TotalSeconds:0.#} s.");

    /// <summary>A host that stays silent after the switch-over does not hold the source's devices hostage: the VM is reported lost with it.</summary>
    private static StepOutcome<MigrationProgress> HomeIsSilent(MigrationProgress s, StepContext context, Fault fault) => context.GivesUpOn(fault)
        ? StepOutcome<MigrationProgress>.Done(s with { Trouble = $"The host that runs the VM does not answer since the switch-over: {fault.Detail}" })
        : fault.ToOutcome<MigrationProgress>();

    private async Task<Outcome<Done>> SetStandbysAsync(MigrationProgress s, IReadOnlyList<string> interfaces, bool up, CancellationToken ct)
    {
        var opened = await hosts.OpenAsync(s.Source, ct);
        if (!opened.TryGet(out var source, out var fault))
            return fault;
        foreach (var name in interfaces)
            if ((await source.SetStandbyLinkAsync(s.Vm.Ref(), name, up, ct)).Fault is { } refused)
                return refused;
        return default(Done);
    }

    /// <summary>A standby that this migration raised rests again once its function carries the traffic; one that still must carry it stays up.</summary>
    private static async Task<MigrationProgress> LowerArrivedAsync(IHypervisor home, MigrationProgress s, CancellationToken ct)
    {
        var still = new List<string>();
        foreach (var name in s.RaisedStandbys ?? [])
        {
            var waiting = s.Devices.Any(d => d.Source.Request == name && d.Lost is not null);
            if (waiting || (await home.SetStandbyLinkAsync(s.Vm.Ref(), name, up: false, ct)).Fault is not null)
                still.Add(name);
        }
        return s with { RaisedStandbys = still };
    }

    private static async Task<MigrationProgress> MeasureAsync(IHypervisor home, MigrationProgress s, CancellationToken ct)
    {
        var measured = await home.Migration.MeasureGapsAsync(s.Vm.Ref(), s.UnplugBeganAt ?? s.Record.CreatedAt, ct);
        if (!measured.TryGet(out var gaps, out _))
            return s;
        return s with
        {
            Devices = [.. s.Devices.Select(d => gaps.FirstOrDefault(g => g.Interface == d.Source.Request && g.Probes > 0) is { } gap ? d with { Gap = gap.Longest } : d)],
        };
    }
}

internal static class Patience
{
    /// <summary>Tries after which a silent host is not waited for where the saga can finish without it.</summary>
    private const int Tries = 6;

    public static bool GivesUpOn(this StepContext context, Fault fault) => fault.IsTransient() && context.Attempt >= Tries;
}
