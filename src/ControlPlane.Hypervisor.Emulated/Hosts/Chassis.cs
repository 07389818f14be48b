using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Journal;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>
/// A chassis whose hosts share functions behind a multi-root aware switch (PCI-SIG Multi-Root I/O Virtualization 1.0): each host sees a virtual
/// hierarchy of its own, and the manager of the switch (the MR-PCIM) decides in which of them a function is.
/// </summary>
/// <remarks>
/// Labels say who shall have a slot; the manager does what they say as soon as it may, and tells what it waits for. A function leaves one
/// hierarchy with its driver unbound, is reset with proof, is written down as the other host's, and appears there.
/// </remarks>
internal sealed class Chassis(string name, ModelClock clock, ChassisJournal? journal)
{
    private readonly SortedDictionary<string, ChassisSlot> slots = new(StringComparer.Ordinal);
    private readonly List<EmulatedHost> members = [];
    private bool considers;

    public string Name => name;

    public IReadOnlyDictionary<string, ChassisSlot> Slots => slots;

    /// <summary>What was known of a slot when the process before this one died.</summary>
    public void Restore(string slot, HostId? owner) => slots[slot] = new ChassisSlot(slot, owner);

    /// <summary>The functions that a host which is about to boot does not find, since they are in another's hierarchy.</summary>
    public IReadOnlyCollection<PciAddress> AbsentFor(HostId host, HostLabels labels) =>
        [.. labels.SharedFunctions.Where(s => slots.TryGetValue(s.Slot, out var slot) && slot.Owner != host).Select(s => s.Address)];

    public void Join(EmulatedHost host)
    {
        members.Add(host);
        host.Chassis = this;
        Follow(host);
    }

    /// <summary>The host exists no longer. Its functions stay with the chassis, for whoever claims them.</summary>
    public void Leave(HostId host)
    {
        members.RemoveAll(m => m.Id == host);
        foreach (var slot in slots.Values)
        {
            slot.Places.Remove(host);
            if (slot.Owner == host && journal?.Commit(new ChassisEntry(name, slot.Name, null)) != false)
                slot.GiveTo(null);
        }
        Reconsider();
    }

    /// <summary>The host's labels have changed.</summary>
    public void Follow(EmulatedHost host)
    {
        Connect(host);
        foreach (var slot in slots.Values)
            slot.UnprovenFor = null;
        Reconsider();
    }

    /// <summary>Something may be possible now that was not: a device was cleaned, a host has died. Looked into after the call under way.</summary>
    public void Reconsider()
    {
        if (considers)
            return;
        considers = true;
        clock.At(clock.Now, () =>
        {
            considers = false;
            foreach (var host in members)
                Connect(host);
            foreach (var slot in slots.Values)
                Consider(slot);
        });
    }

    /// <summary>Why the host has no function at the address although it stands there in its hierarchy; null: the chassis has nothing to do with it.</summary>
    public string? Explain(HostId host, PciAddress address)
    {
        if (slots.Values.FirstOrDefault(s => s.Places.TryGetValue(host, out var place) && place == address) is not { } slot)
            return null;
        _ = Judge(slot);
        var where = slot.MovingTo is { } next ? $"on its way to host {NameOf(next)}"
            : slot.Owner is { } owner ? $"in the hierarchy of host {NameOf(owner)}"
            : "in nobody's hierarchy";
        return $"{address} is slot '{slot.Name}' of chassis '{name}', and {where}.{(slot.Refusal is { } refusal ? $" {refusal.Sentence}" : "")}";
    }

    public void CountInto(CounterSheet sheet, EmulatedHost host)
    {
        foreach (var slot in slots.Values.Where(s => s.Places.ContainsKey(host.Id)))
        {
            _ = Judge(slot); // What is waited for may have become something else.
            slot.CountInto(sheet, host.Id);
        }
    }

    /// <summary>Takes the host's own function of a slot out of its hierarchy where the slot is another's: there is only one.</summary>
    private void Connect(EmulatedHost host)
    {
        foreach (var (address, slotName) in host.Labels.SharedFunctions)
        {
            if (host.Tree.Known(address) is not { IsBridge: false, PhysicalFunction: null } function)
                continue;
            if (!slots.TryGetValue(slotName, out var slot))
            {
                if (journal?.Commit(new ChassisEntry(name, slotName, host.Id)) == false)
                    continue;
                slots[slotName] = slot = new ChassisSlot(slotName, host.Id);
            }
            if (slot.Places.ContainsKey(host.Id))
                continue;
            if (slot.Owner != host.Id && host.Tree.Find(address) is not null)
            {
                if (UseOf(host, function) is not null)
                    continue;
                Withdraw(host, function);
            }
            slot.Places[host.Id] = address;
        }
    }

    private void Consider(ChassisSlot slot)
    {
        if (Judge(slot) is { } move)
            Begin(slot, move.Owner, move.Target);
    }

    /// <summary>The move that the labels ask for and nothing is against; what is against it is noted.</summary>
    private (EmulatedHost? Owner, EmulatedHost Target)? Judge(ChassisSlot slot)
    {
        if (slot.MovingTo is not null)
            return null;
        var claimants = members.Where(m => slot.Places.ContainsKey(m.Id) && m.Labels.Claims(slot.Name)).ToArray();
        if (claimants is not [var target])
        {
            slot.Refuse(claimants.Length == 0 ? null : new SlotRefusal(
                "claimed-twice", $"It stays there, for it is claimed by {string.Join(" and ", claimants.Select(c => c.Name))}."));
            return null;
        }
        if (slot.Owner == target.Id)
        {
            slot.Refuse(null);
            return null;
        }
        // What an earlier reset has shown is said until somebody changes something.
        if (slot.UnprovenFor == target.Id)
            return null;
        var owner = slot.Owner is { } id ? members.Find(m => m.Id == id) : null;
        slot.Refuse(slot.Owner is not null && owner is null
            ? new SlotRefusal("owner-away", $"Host {target.Name} claims it, and its owner is not known here yet.")
            : RefusalOf(slot, owner, target));
        return slot.Refusal is null ? (owner, target) : null;
    }

    private static SlotRefusal? RefusalOf(ChassisSlot slot, EmulatedHost? owner, EmulatedHost target)
    {
        if (owner is null)
            return null;
        var (here, there) = (owner.Tree.Known(slot.Places[owner.Id])!, target.Tree.Known(slot.Places[target.Id])!);
        if ((here.Described.VendorId, here.Described.DeviceId) != (there.Described.VendorId, there.Described.DeviceId))
            return new SlotRefusal("unlike", $"Host {target.Name} claims it and knows another kind of function at {there.Address}.");
        return UseOf(owner, here) is { } use ? use with { Sentence = $"Host {target.Name} claims it: {use.Sentence}" } : null;
    }

    /// <summary>What keeps a function on its host; null: nothing. A host without power has no guests.</summary>
    private static SlotRefusal? UseOf(EmulatedHost host, EmulatedFunction function)
    {
        if (host.IsDown)
            return null;
        foreach (var each in (EmulatedFunction[])[function, .. host.Tree.SriovOf(function.Address)?.Virtual ?? []])
        {
            var vm = host.HoldOf(each.Address)?.Owner;
            if (host.OpenDevices.IsHeld(each))
                return new SlotRefusal("in-guest", $"VM {vm} has {each.Address} of host {host.Name}.");
            if (host.Mediation.InstancesOn(each.Address).Count > 0)
                return new SlotRefusal("in-guest", $"VMs have parts of {each.Address} of host {host.Name}.");
            if (vm is not null)
                return new SlotRefusal("prepared", $"{each.Address} of host {host.Name} is prepared for VM {vm}.");
            if (each.DriverOverride is not null)
                return new SlotRefusal("not-clean", $"{each.Address} of host {host.Name} was not proven clean after its last guest.");
        }
        return null;
    }

    private void Begin(ChassisSlot slot, EmulatedHost? source, EmulatedHost target)
    {
        slot.MovingTo = target.Id;
        if (source?.Tree.Find(slot.Places[source.Id]) is { } function)
            Withdraw(source, function);
        var takes = target.Timings.Host.Bind + target.Timings.Host.Reset;
        clock.At(clock.Now + takes, () => Finish(slot, target.Id));
    }

    /// <summary>The function is in no hierarchy. It is reset, and where that is proven it becomes the target's by one line of the journal.</summary>
    private void Finish(ChassisSlot slot, HostId targetId)
    {
        slot.MovingTo = null;
        var source = slot.Owner is { } id ? members.Find(m => m.Id == id) : null;
        if (members.Find(m => m.Id == targetId) is { } target)
        {
            slot.Refuse(ResetError(slot, source ?? target) is { } error
                ? new SlotRefusal("not-reset", $"Host {target.Name} claims it, and its reset is not proven: {error}.")
                : journal?.Commit(new ChassisEntry(name, slot.Name, targetId)) == false
                    ? new SlotRefusal("not-written", $"Host {target.Name} claims it, and that cannot be written down.")
                    : null);
            if (slot.Refusal is null)
            {
                slot.GiveTo(targetId);
                Insert(target, slot);
                return;
            }
            slot.UnprovenFor = targetId;
        }
        if (source is not null)
            Insert(source, slot);
        Reconsider();
    }

    private static string? ResetError(ChassisSlot slot, EmulatedHost host)
    {
        var (method, error) = host.Reset(host.Tree.Known(slot.Places[host.Id])!);
        return method is not null ? null : error ?? "it has no working reset";
    }

    private static void Withdraw(EmulatedHost host, EmulatedFunction function)
    {
        host.Tree.Withdraw(function);
        host.Network.Forget(function.Address);
        host.TellInventory();
    }

    private static void Insert(EmulatedHost host, ChassisSlot slot)
    {
        var address = slot.Places[host.Id];
        host.Tree.Insert(address, host.VfsOf(address), powered: !host.IsDown);
        host.TellInventory();
    }

    private string NameOf(HostId host) => members.Find(m => m.Id == host)?.Name ?? host.ToString();
}
