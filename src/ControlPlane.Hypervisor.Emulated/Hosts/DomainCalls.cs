using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>What the port does with domains. Every method runs while the clock is entered.</summary>
internal sealed class DomainCalls(EmulatedHost host)
{
    public Outcome<Done> Define(DomainDefinition definition)
    {
        if (host.CheckEpoch(definition.Ref) is { } stale)
            return stale;
        var known = host.Domains.GetValueOrDefault(definition.Ref.Vm);
        if (known is not null && Definitions.Same(known.Definition, definition))
            return default(Done);
        if (known is { State: not DomainState.Off })
            return Fault.Conflict("domain-running", $"Domain {definition.Name} is {known.State}; its definition cannot be replaced now.");
        foreach (var device in definition.Devices)
        {
            if (host.CheckPrepared(definition.Ref.Vm, device) is { } fault)
                return fault;
        }
        if (host.Peripherals.Provide(definition) is { } lacking)
            return lacking;
        if (known is null)
            host.Domains[definition.Ref.Vm] = known = new EmulatedDomain(definition, host.Timings.Guest);
        else
            known.Redefine(definition);
        host.Departures.Forget(known.Vm);
        host.RecordDomain(known);
        return default(Done);
    }

    public Outcome<Done> Undefine(DomainRef reference, DiskFate disks)
    {
        if (host.CheckEpoch(reference) is { } stale)
            return stale;
        var domain = host.Domains.GetValueOrDefault(reference.Vm);
        if (domain is { State: not DomainState.Off })
            return Fault.Conflict("domain-running", $"Domain {domain.Definition.Name} is {domain.State}; stop it before it is forgotten.");
        if (disks == DiskFate.Delete)
            host.Peripherals.Storage.Release(reference.Vm, except: []);
        if (domain is null)
            return default(Done);
        host.Domains.Remove(reference.Vm);
        host.Record(new Journal.JournalRecord.DomainGone(reference.Vm));
        return default(Done);
    }

    public Outcome<Done> Start(DomainRef reference)
    {
        if (!Find(reference).TryGet(out var domain, out var fault))
            return fault;
        switch (domain.State)
        {
            case DomainState.Running:
                return default(Done);
            case DomainState.Paused:
                return Fault.Conflict("domain-paused", $"Domain {domain.Definition.Name} is paused; resume it.");
            case DomainState.Incoming:
                return Fault.Conflict("domain-incoming", $"Domain {domain.Definition.Name} listens for a migration.");
            default:
                break;
        }
        if (host.DiesAt(CrashPoint.Start))
        {
            host.Crash();
            return CallGate.Silent(host.Id);
        }
        foreach (var device in domain.Definition.Devices)
        {
            if (GuestPower.CheckOpen(host, domain.Vm, device) is { } refused)
                return refused;
        }
        if (MediationCalls.Place(host, domain) is { } full)
            return full;
        GuestPower.On(host, domain);
        host.RecordPower(domain);
        return default(Done);
    }

    /// <summary>The guest hears the power button once it has booted; a paused one hears nothing.</summary>
    public Outcome<Task<Outcome<bool>>> Shutdown(DomainRef reference, TimeSpan timeout)
    {
        if (!Find(reference).TryGet(out var domain, out var fault))
            return fault;
        if (domain.State == DomainState.Off)
            return Task.FromResult<Outcome<bool>>(true);
        if (domain.State == DomainState.Incoming)
            return Fault.Conflict("domain-incoming", $"Domain {domain.Definition.Name} listens for a migration.");
        var heardAt = domain.BootedAt > host.Clock.Now ? domain.BootedAt : host.Clock.Now;
        var offAt = domain.State == DomainState.Paused ? null : heardAt + domain.Behaviour.Shutdown;
        if (offAt <= host.Clock.Now)
        {
            GuestPower.Off(host, domain);
            host.RecordPower(domain);
            return Task.FromResult<Outcome<bool>>(true);
        }
        if (domain.PoweringOff is null)
        {
            domain.PoweringOff = new TaskCompletionSource<bool?>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (offAt is { } at)
                PlanShutdown(domain, at);
        }
        return AwaitPowerOff(domain, domain.PoweringOff, timeout);
    }

    public Outcome<Done> Destroy(DomainRef reference)
    {
        if (host.CheckEpoch(reference) is { } stale)
            return stale;
        if (!host.Domains.TryGetValue(reference.Vm, out var domain) || domain.State == DomainState.Off)
            return default(Done);
        if (domain.State == DomainState.Incoming)
            return Fault.Conflict("domain-incoming", $"Domain {domain.Definition.Name} listens for a migration; discard it.");
        GuestPower.Off(host, domain);
        host.RecordPower(domain);
        return default(Done);
    }

    /// <summary>One operation reboots once, however often it asks.</summary>
    public Outcome<Done> Reboot(DomainRef reference)
    {
        if (!FindOn(reference).TryGet(out var domain, out var fault))
            return fault;
        if (domain.RebootedAtEpoch == reference.Epoch)
            return default(Done);
        if (domain.State == DomainState.Paused)
            return Fault.Conflict("domain-paused", $"Domain {domain.Definition.Name} is paused; resume it.");
        domain.RebootedAtEpoch = reference.Epoch;
        GuestPower.Boot(host, domain);
        host.RecordPower(domain);
        return default(Done);
    }

    public Outcome<Done> Pause(DomainRef reference)
    {
        if (!FindOn(reference).TryGet(out var domain, out var fault))
            return fault;
        if (domain.State == DomainState.Paused)
            return default(Done);
        domain.Workload!.WriteUntil(host.Clock.Now);
        domain.Mediation?.RunUntil(host.Clock.Now);
        domain.State = DomainState.Paused;
        host.RecordPower(domain);
        return default(Done);
    }

    public Outcome<Done> Resume(DomainRef reference)
    {
        if (!FindOn(reference).TryGet(out var domain, out var fault))
            return fault;
        if (domain.State == DomainState.Running)
            return default(Done);
        domain.Workload!.SkipTo(host.Clock.Now);
        domain.Mediation?.SkipTo(host.Clock.Now);
        domain.State = DomainState.Running;
        host.RecordPower(domain);
        domain.RunResumed();
        return default(Done);
    }

    public Outcome<EmulatedDomain> Find(DomainRef reference)
    {
        if (host.CheckEpoch(reference) is { } stale)
            return stale;
        return host.Domains.TryGetValue(reference.Vm, out var domain) ? domain : Fault.NotFound("domain", reference.Vm.ToString());
    }

    public Outcome<EmulatedDomain> FindOn(DomainRef reference)
    {
        if (!Find(reference).TryGet(out var domain, out var fault))
            return fault;
        return domain.IsOn ? domain : Fault.Conflict("domain-not-running", $"Domain {domain.Definition.Name} is {domain.State}.");
    }

    private void PlanShutdown(EmulatedDomain domain, DateTimeOffset at)
    {
        var life = domain.Life;
        host.Clock.At(at, () =>
        {
            if (domain.Life != life || domain.State != DomainState.Running)
                return;
            var awaited = domain.PoweringOff is not null;
            GuestPower.Off(host, domain);
            host.RecordPower(domain);
            if (!awaited)
                host.Events.Tell(new HypervisorEvent.DomainChanged(domain.Vm, DomainState.Off, "the guest powered off late", host.Clock.Now));
        });
    }

    private Task<Outcome<bool>> AwaitPowerOff(EmulatedDomain domain, TaskCompletionSource<bool?> poweringOff, TimeSpan timeout)
    {
        host.Clock.At(host.Clock.Now + timeout, () =>
        {
            // Whoever asks later presses the button anew; the guest may still follow the first press, which is then an event.
            if (domain.PoweringOff == poweringOff)
                domain.PoweringOff = null;
            poweringOff.TrySetResult(false);
        });
        return Answer(poweringOff.Task);

        async Task<Outcome<bool>> Answer(Task<bool?> off) => await off is { } result ? result : CallGate.Silent(host.Id);
    }
}
