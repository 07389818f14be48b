using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Journal;

/// <summary>What a journal's lines amount to.</summary>
internal sealed class JournalState
{
    public Dictionary<VmId, JournalRecord.DomainIs> Domains { get; } = [];

    public Dictionary<VmId, Generation> Epochs { get; } = [];

    public Dictionary<PciAddress, JournalRecord.DeviceIs> Devices { get; } = [];

    public Dictionary<PciAddress, int> VirtualFunctions { get; } = [];

    /// <summary>Null: the host has lost its power since, or never had it.</summary>
    public JournalRecord.Booted? Booted { get; private set; }

    public Dictionary<VmId, CopyProgress> Departures { get; } = [];

    public HashSet<long> SwitchOvers { get; } = [];

    public static JournalState Fold(IEnumerable<JournalRecord> records)
    {
        var state = new JournalState();
        foreach (var record in records)
            state.Apply(record);
        return state;
    }

    private void Apply(JournalRecord record)
    {
        switch (record)
        {
            case JournalRecord.DomainIs r:
                Domains[r.Definition.Ref.Vm] = r;
                Departures.Remove(r.Definition.Ref.Vm);
                break;
            case JournalRecord.PowerIs r when Domains.TryGetValue(r.Vm, out var domain):
                Domains[r.Vm] = domain with { State = r.State, StartedAt = r.StartedAt, RebootedAtEpoch = r.RebootedAtEpoch, Mediated = r.Mediated };
                break;
            case JournalRecord.DomainGone r:
                Domains.Remove(r.Vm);
                break;
            case JournalRecord.EpochSeen r:
                Epochs[r.Vm] = r.Epoch;
                break;
            case JournalRecord.DeviceIs r:
                Devices[r.Address] = r;
                break;
            case JournalRecord.VirtualFunctionsAre r:
                VirtualFunctions[r.PhysicalFunction] = r.Count;
                break;
            case JournalRecord.Booted r:
                Booted = r;
                break;
            case JournalRecord.HostDied:
                PowerLost();
                break;
            case JournalRecord.Departed r:
                Domains.Remove(r.Vm);
                Departures[r.Vm] = r.Ended;
                break;
            case JournalRecord.SwitchedOver r:
                SwitchOvers.Add(r.Number);
                break;
            default:
                break;
        }
    }

    private void PowerLost()
    {
        Booted = null;
        foreach (var (vm, domain) in Domains.ToArray())
            Domains[vm] = domain with { State = DomainState.Off, Mediated = null };
        foreach (var (address, device) in Devices.ToArray())
            Devices[address] = device with { Bound = false, Owner = null, Settings = DeviceSettings.None };
    }
}
