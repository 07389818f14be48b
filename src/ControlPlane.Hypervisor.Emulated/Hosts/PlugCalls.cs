using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>Hot-plug and hot-unplug. Every method runs while the clock is entered.</summary>
internal sealed class PlugCalls(EmulatedHost host, DomainCalls domains)
{
    public Outcome<Done> Plug(DomainRef reference, DomainDevice device)
    {
        if (!domains.Find(reference).TryGet(out var domain, out var fault))
            return fault;
        if (domain.Device(device.Name) is { } present)
        {
            return present.Claim == device.Claim && present.GuestAddress == device.GuestAddress
                ? default(Done)
                : Fault.Conflict("device-name-taken", $"Domain {domain.Definition.Name} has another device '{device.Name}', {present.Claim.Address}.");
        }
        if (domain.State == DomainState.Incoming)
            return Fault.Conflict("domain-incoming", $"Domain {domain.Definition.Name} listens for a migration.");
        if (domain.BeforeOff is not null)
            return Fault.Conflict("domain-migrating", $"Domain {domain.Definition.Name} is being copied to another host.");
        if (domain.IsTaken(device.GuestAddress, device.Name))
            return Fault.Conflict("guest-address-taken", $"Something else of {domain.Definition.Name} is at {device.GuestAddress}.");
        var refused = domain.IsOn ? GuestPower.CheckOpen(host, domain.Vm, device) : host.CheckPrepared(domain.Vm, device);
        if (refused is not null)
            return refused;
        domain.Redefine(domain.Definition.With(device));
        if (domain.IsOn)
        {
            GuestPower.Open(host, domain, device);
            domain.NotePlugged(device.Name, host.Clock.Now);
            domain.Network?.Refresh();
        }
        host.RecordDomain(domain);
        return default(Done);
    }

    public Outcome<Task<Outcome<UnplugResult>>> Unplug(DomainRef reference, string name, TimeSpan deadline)
    {
        if (!domains.Find(reference).TryGet(out var domain, out var fault))
            return fault;
        return domain.Device(name) is null ? Answered(UnplugResult.Unplugged) : Ask(domain, name, isInterface: false, deadline);
    }

    public Outcome<Done> PlugInterface(DomainRef reference, DomainInterface networkInterface)
    {
        if (!domains.Find(reference).TryGet(out var domain, out var fault))
            return fault;
        if (domain.Interface(networkInterface.Name) == networkInterface)
            return default(Done);
        if (domain.IsTaken(networkInterface.GuestAddress, networkInterface.Name))
            return Fault.Conflict("guest-address-taken", $"Something else of {domain.Definition.Name} is at {networkInterface.GuestAddress}.");
        domain.Redefine(domain.Definition.With(networkInterface));
        domain.Network?.Refresh();
        host.RecordDomain(domain);
        return default(Done);
    }

    public Outcome<Task<Outcome<UnplugResult>>> UnplugInterface(DomainRef reference, string name, TimeSpan deadline)
    {
        if (!domains.Find(reference).TryGet(out var domain, out var fault))
            return fault;
        return domain.Interface(name) is null ? Answered(UnplugResult.Unplugged) : Ask(domain, name, isInterface: true, deadline);
    }

    /// <summary>A standby is taken away only once the function of its pair carries the traffic: a guest shall not lose its only way.</summary>
    public Outcome<Task<Outcome<Done>>> SetStandbyLink(DomainRef reference, string name, bool up)
    {
        if (!domains.Find(reference).TryGet(out var domain, out var fault))
            return fault;
        if (up || domain.State != DomainState.Running || domain.Device(name) is null || domain.CarriesAt(name) is var carriesAt && carriesAt <= host.Clock.Now)
            return Task.FromResult(SetLink(reference, name, up));
        var set = new TaskCompletionSource<Outcome<Done>>(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Clock.At(carriesAt, () => set.TrySetResult(host.IsDown ? CallGate.Silent(host.Id) : SetLink(reference, name, up)));
        return set.Task;
    }

    private Outcome<Done> SetLink(DomainRef reference, string name, bool up)
    {
        if (!domains.Find(reference).TryGet(out var domain, out var fault))
            return fault;
        if (domain.Interface(name) is not { } standby)
            return Fault.NotFound("interface", name);
        if (standby.LinkUp == up)
            return default(Done);
        domain.Redefine(domain.Definition.With(standby with { LinkUp = up }));
        domain.Network?.Refresh();
        host.RecordDomain(domain);
        return default(Done);
    }

    /// <summary>Presses the attention button and waits for the guest's word until the deadline.</summary>
    private Outcome<Task<Outcome<UnplugResult>>> Ask(EmulatedDomain domain, string name, bool isInterface, TimeSpan deadline)
    {
        if (!domain.IsOn)
        {
            domain.Remove(name, isInterface);
            host.RecordDomain(domain);
            return Answered(UnplugResult.Unplugged);
        }
        var request = domain.UnplugOf(name, isInterface) ?? Press(domain, name, isInterface);
        if (request.Answer is { } answer)
            return Answered(answer);
        var waiter = request.NewWaiter();
        host.Clock.At(host.Clock.Now + deadline, () =>
        {
            // Pressing the button once more takes the request back (PCI Express base specification 6.7.1.5), unless somebody else still waits.
            if (!request.Closed && request.GiveUp(waiter) && domain.Behaviour.UnplugOf(name).Manner != UnplugManner.AcknowledgeLate)
                domain.EndUnplug(request, UnplugResult.TimedOut);
        });
        return Wait(waiter.Task);

        async Task<Outcome<UnplugResult>> Wait(Task<UnplugResult?> word) => await word is { } result ? result : CallGate.Silent(host.Id);
    }

    private UnplugRequest Press(EmulatedDomain domain, string name, bool isInterface)
    {
        var request = domain.BeginUnplug(name, isInterface);
        var habit = domain.Behaviour.UnplugOf(name);
        if (habit.Manner == UnplugManner.Ignore)
            return request;
        var heardAt = domain.BootedAt > host.Clock.Now ? domain.BootedAt : host.Clock.Now;
        var wordAt = heardAt + (habit.After ?? domain.Behaviour.UnplugAcknowledge);
        if (wordAt <= host.Clock.Now && domain.State == DomainState.Running)
            Speak(domain, request, habit);
        else
            host.Clock.At(wordAt, () => Speak(domain, request, habit));
        return request;
    }

    /// <summary>The guest gives its word: it powers the slot off, or it refuses.</summary>
    private void Speak(EmulatedDomain domain, UnplugRequest request, UnplugHabit habit)
    {
        if (request.Closed)
            return;
        if (domain.State != DomainState.Running)
        {
            // A paused guest says nothing; it goes on where it stopped.
            domain.WhenResumed(() => Speak(domain, request, habit));
            return;
        }
        if (habit.Manner == UnplugManner.Refuse)
        {
            domain.EndUnplug(request, UnplugResult.Refused);
            return;
        }
        var nobodyWaits = request.IsAbandoned;
        if (!request.IsInterface && domain.Device(request.Name) is { } device)
            GuestPower.Close(host, domain, device, vmmEnds: false);
        domain.Remove(request.Name, request.IsInterface);
        domain.Network?.Refresh();
        host.RecordDomain(domain);
        domain.EndUnplug(request, UnplugResult.Unplugged);
        if (nobodyWaits)
            host.Events.Tell(new HypervisorEvent.DeviceGone(domain.Vm, request.Name, host.Clock.Now));
    }

    private static Outcome<Task<Outcome<UnplugResult>>> Answered(UnplugResult result) => Task.FromResult<Outcome<UnplugResult>>(result);
}
