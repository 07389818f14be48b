using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Journal;
using ControlPlane.Hypervisor.Emulated.Pci;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>A host's state as journal records, and back: what survives the death of the process.</summary>
internal static class HostSnapshot
{
    /// <summary>Everything that a journal of this host must say, each thing once.</summary>
    public static IEnumerable<JournalRecord> Of(EmulatedHost host)
    {
        if (!host.IsDown)
            yield return host.BootRecord;
        foreach (var (physical, count) in host.ConfiguredVfs)
            yield return new JournalRecord.VirtualFunctionsAre(physical, count);
        foreach (var (vm, epoch) in host.Epochs)
            yield return new JournalRecord.EpochSeen(vm, epoch);
        foreach (var (address, hold) in host.Holds)
            yield return host.RecordOf(address, hold);
        foreach (var domain in host.Domains.Values.Where(d => d.State != DomainState.Incoming))
            yield return domain.ToRecord();
        foreach (var (vm, ended) in host.Departures.All)
            yield return new JournalRecord.Departed(vm, ended);
        foreach (var number in host.Departures.AppliedSwitchOvers)
            yield return new JournalRecord.SwitchedOver(number);
    }

    /// <summary>How the host's functions stood when the process died: the host itself ran on, or boots now because it had lost its power.</summary>
    /// <param name="hidden">What a boot of this moment would hide.</param>
    /// <param name="absent">What is in another host's hierarchy.</param>
    public static BootSettings SettingsOf(JournalState state, string hidden, IReadOnlyCollection<PciAddress> absent) => new(
        new HiddenFunctions(state.Booted?.Hidden ?? hidden), state.VirtualFunctions,
        [.. state.Devices.Values.Where(d => d.Bound).Select(d => d.Address)], absent);

    /// <summary>Brings a host that was just built with those settings to the state that the journal gives.</summary>
    public static void Restore(EmulatedHost host, JournalState state)
    {
        foreach (var (physical, count) in state.VirtualFunctions)
            host.ConfigureVfs(physical, count);
        foreach (var (vm, epoch) in state.Epochs)
            host.SeeEpoch(vm, epoch);
        foreach (var device in state.Devices.Values)
            host.SetHold(device.Address, new DeviceHold(device.Generation, device.Closed, device.Owner, device.Settings));
        foreach (var (vm, ended) in state.Departures)
            host.Departures.Note(vm, ended);
        foreach (var number in state.SwitchOvers)
            host.Departures.AppliedSwitchOvers.Add(number);
        foreach (var domain in state.Domains.Values)
            RestoreDomain(host, domain);
    }

    /// <summary>The guest did not notice: it runs with its memory and devices, and has been running all the time.</summary>
    public static void RestoreDomain(EmulatedHost host, JournalRecord.DomainIs record)
    {
        var domain = new Guests.EmulatedDomain(record.Definition, host.Timings.Guest) { RebootedAtEpoch = record.RebootedAtEpoch };
        host.Domains[domain.Vm] = domain;
        if (host.Epochs.TryGetValue(domain.Vm, out var epoch))
            domain.RaiseEpoch(epoch);
        if (record.State == DomainState.Off)
            return;
        MediationCalls.Restore(host, domain, record.Mediated);
        GuestPower.Materialize(host, domain);
        domain.State = record.State;
        domain.StartedAt = record.StartedAt;
        Guests.GuestMachine.Boot(domain);
        domain.Peripherals!.Disks.ReserveIfFree();
        domain.Peripherals.Boot();
        GuestPower.PlanPowerOff(host, domain);
    }
}
