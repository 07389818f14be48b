using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Hosts;

namespace ControlPlane.Hypervisor.Emulated.Migration;

/// <summary>Live migration as one emulated host offers it: incoming domains as a target, copies as a source.</summary>
internal sealed class EmulatedMigrationPort(EmulatedHost host, CallGate gate, DomainCalls domains, MigrationGround ground) : IMigrationPort
{
    /// <summary>As many failed or aborted copies are remembered.</summary>
    private const int MaxEnded = 4096;

    private readonly Dictionary<VmId, OutgoingCopy> copies = [];
    private readonly Dictionary<VmId, (Generation Epoch, CopyProgress Progress)> ended = [];

    public Task<Outcome<IncomingMigration>> PrepareIncomingAsync(DomainDefinition definition, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.PrepareIncoming, host.Timings.Host.Start, () => PrepareIncoming(definition), ct);

    public Task<Outcome<Done>> DiscardIncomingAsync(DomainRef domain, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.DiscardIncoming, TimeSpan.Zero, () => DiscardIncoming(domain), ct);

    public Task<Outcome<Done>> BeginCopyAsync(DomainRef domain, IncomingMigration target, CopyOptions options, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.BeginCopy, TimeSpan.Zero, () => BeginCopy(domain, target, options), ct);

    public Task<Outcome<Done>> SetDowntimeLimitAsync(DomainRef domain, TimeSpan limit, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.SetDowntimeLimit, TimeSpan.Zero, () => SetDowntimeLimit(domain, limit), ct);

    public Task<Outcome<CopyProgress>> ReadProgressAsync(DomainRef domain, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.ReadProgress, TimeSpan.Zero, () => ReadProgress(domain), ct);

    public Task<Outcome<Done>> AbortCopyAsync(DomainRef domain, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.AbortCopy, TimeSpan.Zero, () => AbortCopy(domain), ct);

    public Task<Outcome<SwitchOverResult>> SwitchOverAsync(DomainRef domain, CancellationToken ct) =>
        gate.WaitAsync(HypervisorCall.SwitchOver, () => SwitchOver(domain), ct);

    public Task<Outcome<MigrationLoad?>> ReadLoadAsync(DomainRef domain, CopyIntent intent, CancellationToken ct) =>
        gate.RunAsync(HypervisorCall.ReadLoad, TimeSpan.Zero, () => ReadLoad(domain, intent), ct);

    public Task<Outcome<IReadOnlyList<InterfaceGap>>> MeasureGapsAsync(DomainRef domain, DateTimeOffset since, CancellationToken ct) =>
        gate.WaitAsync(HypervisorCall.MeasureGaps, () => BeginMeasure(domain, since), ct);

    /// <summary>A device that was just plugged carries nothing until its driver is ready: its silence is measured to its end.</summary>
    private Outcome<Task<Outcome<IReadOnlyList<InterfaceGap>>>> BeginMeasure(DomainRef reference, DateTimeOffset since)
    {
        var now = host.Clock.Now;
        var complete = now;
        if (host.Domains.GetValueOrDefault(reference.Vm) is { State: DomainState.Running } domain)
        {
            complete = domain.Definition.Devices.Where(d => d.Settings.Mac is not null)
                .Select(d => domain.CarriesAt(d.Name) + (2 * ground.ProbeInterval)).Append(now).Max();
        }
        if (complete <= now)
            return Task.FromResult(MeasureGaps(reference, since));
        var measured = new TaskCompletionSource<Outcome<IReadOnlyList<InterfaceGap>>>(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Clock.At(complete, () => measured.TrySetResult(host.IsDown ? CallGate.Silent(host.Id) : MeasureGaps(reference, since)));
        return measured.Task;
    }

    /// <summary>Also for a guest that has left: what was measured while it went is asked for afterwards.</summary>
    private Outcome<IReadOnlyList<InterfaceGap>> MeasureGaps(DomainRef reference, DateTimeOffset since)
    {
        if (host.CheckEpoch(reference) is { } stale)
            return stale;
        if (ground.Measure(reference.Vm, since) is { } measured)
            return measured.ToArray();
        return host.Domains.TryGetValue(reference.Vm, out var domain)
            ? domain.Definition.Interfaces.Select(i => new InterfaceGap(i.Name, TimeSpan.Zero, 0, 0)).ToArray()
            : Fault.NotFound("domain", reference.Vm.ToString());
    }

    private Outcome<IncomingMigration> PrepareIncoming(DomainDefinition definition)
    {
        if (host.CheckEpoch(definition.Ref) is { } stale)
            return stale;
        if (host.DiesAt(CrashPoint.PrepareIncoming))
        {
            host.Crash();
            return CallGate.Silent(host.Id);
        }
        var answer = new IncomingMigration(host.Id, $"emulated://{host.Id}/{definition.Ref.Vm}");
        if (host.Domains.TryGetValue(definition.Ref.Vm, out var known))
        {
            return known.State == DomainState.Incoming && Definitions.Same(known.Definition, definition)
                ? answer
                : Fault.Conflict("domain-running", $"Domain {definition.Name} is {known.State} here.");
        }
        foreach (var device in definition.Devices)
        {
            if (GuestPower.CheckOpen(host, definition.Ref.Vm, device) is { } refused)
                return refused;
        }
        var arriving = new EmulatedDomain(definition, host.Timings.Guest) { State = DomainState.Incoming };
        if (MediationCalls.Place(host, arriving) is { } full)
            return full;
        GuestPower.Materialize(host, arriving);
        host.Domains[arriving.Vm] = arriving;
        ground.Watch(arriving.Vm);
        return answer;
    }

    private Outcome<Done> DiscardIncoming(DomainRef reference)
    {
        if (host.CheckEpoch(reference) is { } stale)
            return stale;
        if (!host.Domains.TryGetValue(reference.Vm, out var domain))
            return default(Done);
        if (domain.State != DomainState.Incoming)
            return Fault.Conflict("domain-running", $"Domain {domain.Definition.Name} is {domain.State} here; it does not listen any more.");
        GuestPower.Off(host, domain);
        host.Domains.Remove(reference.Vm);
        return default(Done);
    }

    private Outcome<Done> BeginCopy(DomainRef reference, IncomingMigration incoming, CopyOptions options)
    {
        if (host.CheckEpoch(reference) is { } stale)
            return stale;
        if (copies.TryGetValue(reference.Vm, out var present))
        {
            return present.Target.Id == incoming.Target
                ? default(Done)
                : Fault.Conflict("copy-under-way", $"VM {reference.Vm} is being copied to {present.Target.Id}.");
        }
        if (host.Departures.Of(reference.Vm) is not null)
            return default(Done);
        if (!domains.FindOn(reference).TryGet(out var leaving, out var fault))
            return fault;
        if (leaving.BeforeOff is not null)
            return Fault.Conflict("pages-still-arriving", $"VM {reference.Vm} has not got all of its pages here yet.");
        if (ground.FindHost(incoming.Target) is not { IsDown: false } target)
            return Fault.Unavailable("target-unavailable", $"Host {incoming.Target} cannot be reached.");
        if (target.Domains.GetValueOrDefault(reference.Vm) is not { State: DomainState.Incoming } arriving)
            return Fault.Conflict("no-incoming", $"Host {incoming.Target} does not listen for VM {reference.Vm}.");
        if (CheckDevices(leaving, target, arriving) is { } mismatch)
            return mismatch;
        var copy = copies[reference.Vm] = new OutgoingCopy(ground.GroundOf(host, target, options.BandwidthMiBPerSecond, over => Forget(over, reference.Epoch)), leaving, arriving, options);
        ended.Remove(reference.Vm);
        copy.Begin();
        ground.Watch(reference.Vm);
        return default(Done);
    }

    /// <summary>Of a copy that is over only its result is kept: its memory goes. One that completed is remembered as the VM's departure.</summary>
    private void Forget(OutgoingCopy copy, Generation epoch)
    {
        copies.Remove(copy.Leaving.Vm);
        if (copy.Phase == CopyPhase.Completed)
            return;
        if (ended.Count >= MaxEnded)
            ended.Remove(ended.First().Key);
        ended[copy.Leaving.Vm] = (epoch, copy.Progress);
    }

    /// <summary>A device in the guest travels only into an equal one on the target; any other must be unplugged before.</summary>
    private Fault? CheckDevices(EmulatedDomain leaving, EmulatedHost target, EmulatedDomain arriving)
    {
        foreach (var device in leaving.Definition.Devices)
        {
            if (arriving.Device(device.Name) is not { } other)
                return Fault.Conflict("device-still-plugged", $"'{device.Name}' is still in the guest and has no counterpart on the target.");
            var (here, there) = (host.Tree.Find(device.Claim.Address)!.Described, target.Tree.Find(other.Claim.Address)!.Described);
            if ((here.VendorId, here.DeviceId, here.Revision) != (there.VendorId, there.DeviceId, there.Revision))
                return Fault.Conflict("device-differs", $"'{device.Name}' is {here.VendorId:x4}:{here.DeviceId:x4} here and {there.VendorId:x4}:{there.DeviceId:x4} on the target.");
            if (device.GuestAddress != other.GuestAddress)
                return Fault.Conflict("device-differs", $"'{device.Name}' is at {device.GuestAddress} in the guest here and at {other.GuestAddress} on the target.");
        }
        return GuestMediation.DiffersFrom(leaving.Mediation, arriving.Mediation) is { } differs
            ? Fault.Conflict("mediated-differs", $"Mediated device {differs}.")
            : null;
    }

    private Outcome<MigrationLoad?> ReadLoad(DomainRef reference, CopyIntent intent)
    {
        if (!host.Domains.TryGetValue(reference.Vm, out var domain))
            return Fault.NotFound("domain", reference.Vm.ToString());
        return domain.IsOn && ground.FindHost(intent.Target) is { } target ? ground.LoadOf(host, domain, target, intent) : (MigrationLoad?)null;
    }

    private Outcome<Done> SetDowntimeLimit(DomainRef reference, TimeSpan limit)
    {
        if (host.CheckEpoch(reference) is { } stale)
            return stale;
        if (copies.GetValueOrDefault(reference.Vm) is not { } copy)
            return Fault.Conflict("no-copy", $"No copy of VM {reference.Vm} is under way.");
        copy.SetDowntimeLimit(limit);
        return default(Done);
    }

    private Outcome<CopyProgress> ReadProgress(DomainRef reference)
    {
        if (host.CheckEpoch(reference) is { } stale)
            return stale;
        if (host.Departures.Of(reference.Vm) is { } departed)
            return departed;
        return copies.TryGetValue(reference.Vm, out var copy) ? copy.Progress : EndOf(reference) ?? CopyProgress.NotKnown;
    }

    /// <summary>How the copy of this epoch ended; that of an older one is not what a later migration asks for.</summary>
    private CopyProgress? EndOf(DomainRef reference) => ended.TryGetValue(reference.Vm, out var end) && end.Epoch == reference.Epoch ? end.Progress : null;

    private Outcome<Done> AbortCopy(DomainRef reference)
    {
        if (host.CheckEpoch(reference) is { } stale)
            return stale;
        if (host.Departures.Of(reference.Vm) is not null)
            return MigrationFaults.AlreadySwitched(reference);
        copies.GetValueOrDefault(reference.Vm)?.Stop(CopyPhase.Aborted, null);
        return default(Done);
    }

    private Outcome<Task<Outcome<SwitchOverResult>>> SwitchOver(DomainRef reference)
    {
        if (host.CheckEpoch(reference) is { } stale)
            return stale;
        if (host.Departures.Of(reference.Vm) is not null)
            return Answered(SwitchOverResult.OnTarget);
        copies.GetValueOrDefault(reference.Vm)?.CrashIfAsked(CrashPoint.SwitchOver);
        if (copies.TryGetValue(reference.Vm, out var copy))
        {
            return copy.Phase == CopyPhase.HoldingBeforeSwitchOver
                ? Wait(copy.SwitchOver())
                : Fault.Conflict("not-holding", $"The copy of VM {reference.Vm} has not converged; it is {copy.Phase}.");
        }
        return EndOf(reference) is not null
            ? Answered(SwitchOverResult.StayedOnSource)
            : Fault.Conflict("no-copy", $"No copy of VM {reference.Vm} is known.");

        async Task<Outcome<SwitchOverResult>> Wait(Task<SwitchOverResult?> switching) =>
            await switching is { } result ? result : CallGate.Silent(host.Id);
    }

    private static Outcome<Task<Outcome<SwitchOverResult>>> Answered(SwitchOverResult result) => Task.FromResult<Outcome<SwitchOverResult>>(result);
}
