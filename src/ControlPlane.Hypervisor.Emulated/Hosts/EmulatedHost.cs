using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Interrupts;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Journal;
using ControlPlane.Hypervisor.Emulated.Mediated;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Pci;
using ControlPlane.Hypervisor.Emulated.Time;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>One emulated host: its hardware, its domains and what it remembers of claims. To be used only while the clock is entered.</summary>
internal sealed class EmulatedHost : ICounting
{
    /// <summary>As many epochs are remembered, of VMs that are here and of the last ones that were.</summary>
    private const int MaxEpochs = 262_144;

    private readonly Dictionary<VmId, Generation> epochs = [];
    private readonly Dictionary<PciAddress, DeviceHold> holds = [];
    private readonly Dictionary<PciAddress, int> configuredVfs = [];
    private IReadOnlyDictionary<string, string>? labelled;
    private CrashPoint? spentCrash;
    private HostInventory? scanned;

    /// <param name="boot">Of its first boot here.</param>
    public EmulatedHost(
        HostId id, MachineBlueprint blueprint, ModelClock clock, EmulationTimings timings, Fabric fabric, SharedStorage storage,
        IReadOnlyDictionary<string, string> labels, BootSettings boot)
    {
        (Id, Blueprint, Clock, Timings) = (id, blueprint, clock, timings);
        Label(labels);
        Tree = new PciTree(blueprint, boot, physical => Labels.ProbesVirtualFunctions(physical));
        Memory = new HostMemory();
        OpenDevices = new OpenDevices(clock);
        Traffic = new HostTraffic(this);
        Peripherals = new HostPeripherals(this, storage);
        Iommu = new DmaRemapper(Memory, clock, Tree.RequesterIdOf);
        Mediation = new HostMediation(Tree, Memory, Iommu, MayBeCut);
        Interrupts = new InterruptRouter(Tree, Iommu, () => !Labels.PostsNoInterrupts);
        Network = new HostNetwork(
            Tree, fabric, clock, physical => Labels.WireOf(physical) ?? blueprint.Profile.PhysicalNetworks.GetValueOrDefault(physical),
            address => HoldOf(address)?.Settings ?? DeviceSettings.None);
    }

    public HostId Id { get; }

    /// <summary>For people.</summary>
    public string Name { get; init; } = "";

    public MachineBlueprint Blueprint { get; }

    public ModelClock Clock { get; }

    public EmulationTimings Timings { get; }

    public PciTree Tree { get; }

    public HostMemory Memory { get; }

    public DmaRemapper Iommu { get; }

    public InterruptRouter Interrupts { get; }

    /// <summary>Its devices' instances.</summary>
    public HostMediation Mediation { get; }

    public HostNetwork Network { get; }

    public HostPeripherals Peripherals { get; }

    /// <summary>Guests that send by themselves.</summary>
    public HostTraffic Traffic { get; }

    /// <summary>All hosts that are open, this one among them.</summary>
    public IReadOnlyCollection<EmulatedHost> Fleet { get; init; } = [];

    /// <summary>Who of the fleet's guests sends to whom.</summary>
    public required TrafficDirectory Directory { get; init; }

    /// <summary>The chassis in which it shares functions with others; null: none.</summary>
    public Chassis? Chassis { get; set; }

    public EventBoard Events { get; } = new();

    public OpenDevices OpenDevices { get; }

    public Departures Departures { get; } = new();

    public Dictionary<VmId, EmulatedDomain> Domains { get; } = [];

    public HostLabels Labels { get; private set; } = HostLabels.None;

    public bool IsDown { get; private set; }

    /// <summary>Where mutations are written down; null: nowhere.</summary>
    public HostJournal? Journal { get; set; }

    public IReadOnlyDictionary<PciAddress, DeviceHold> Holds => holds;

    public IReadOnlyDictionary<VmId, Generation> Epochs => epochs;

    public IReadOnlyDictionary<PciAddress, int> ConfiguredVfs => configuredVfs;

    /// <summary>The host's labels as they are now; asked for with every call, and changed seldom.</summary>
    /// <returns>True when they say something else than before.</returns>
    public bool Label(IReadOnlyDictionary<string, string> labels)
    {
        if (ReferenceEquals(labels, labelled))
            return false;
        var changed = labelled is null || labels.Count != labelled.Count || labels.Any(l => labelled.GetValueOrDefault(l.Key) != l.Value);
        labelled = labels;
        Labels = new HostLabels(labels);
        Peripherals?.PlugUsb();
        return changed;
    }

    public void Record(JournalRecord record) => Journal?.Append(record);

    public void RecordDomain(EmulatedDomain domain) => Record(domain.ToRecord());

    public void RecordPower(EmulatedDomain domain) =>
        Record(new JournalRecord.PowerIs(domain.Vm, domain.State, domain.StartedAt, domain.RebootedAtEpoch) { Mediated = domain.Mediation?.Placements });

    /// <summary>Refuses an operation that a newer one has overtaken, and remembers the newest.</summary>
    public Fault? CheckEpoch(DomainRef domain)
    {
        if (epochs.TryGetValue(domain.Vm, out var seen))
        {
            if (domain.Epoch < seen)
                return Fault.Conflict("stale-epoch", $"VM {domain.Vm} is at epoch {seen}; an action of epoch {domain.Epoch} comes too late.");
            if (domain.Epoch == seen)
                return null;
        }
        SeeEpoch(domain.Vm, domain.Epoch);
        Record(new JournalRecord.EpochSeen(domain.Vm, domain.Epoch));
        return null;
    }

    public void SeeEpoch(VmId vm, Generation epoch)
    {
        epochs[vm] = epoch;
        if (epochs.Count > MaxEpochs)
            epochs.Remove(epochs.Keys.First(v => !Domains.ContainsKey(v)));
        if (Domains.TryGetValue(vm, out var domain))
            domain.RaiseEpoch(epoch);
    }

    /// <summary>Refuses a claim that a newer one has overtaken.</summary>
    public Fault? CheckClaim(DeviceClaim claim) =>
        holds.TryGetValue(claim.Address, out var hold) && claim.Generation < hold.Generation
            ? Fault.Conflict("stale-generation", $"{claim.Address} is at generation {hold.Generation}; an action of generation {claim.Generation} comes too late.")
            : null;

    public DeviceHold? HoldOf(PciAddress address) => holds.GetValueOrDefault(address);

    public void SetHold(PciAddress address, DeviceHold hold)
    {
        holds[address] = hold;
        scanned = null;
        Record(RecordOf(address, hold));
        if (hold.Owner is null)
            Chassis?.Reconsider();
    }

    public JournalRecord BootRecord => new JournalRecord.Booted(Tree.Drivers.Hidden.Text);

    public JournalRecord RecordOf(PciAddress address, DeviceHold hold) => new JournalRecord.DeviceIs(
        address, hold.Generation, hold.Closed, Tree.Find(address)?.DriverOverride is not null, hold.Owner, hold.Settings);

    /// <summary>A device may be given to a guest only while it is prepared for it, under this very claim.</summary>
    public Fault? CheckPrepared(VmId vm, DomainDevice device)
    {
        if (CheckClaim(device.Claim) is { } stale)
            return stale;
        if (Tree.Find(device.Claim.Address) is not { } function)
            return this.Missing(device.Claim.Address);
        var prepared = HoldOf(device.Claim.Address) is { } hold && hold.Owner == vm && hold.Generation == device.Claim.Generation
            && function.Driver == EmulatedFunction.VfioDriver;
        return prepared ? null : Fault.Conflict("device-not-prepared", $"{device.Claim.Address} is not prepared for VM {vm} at generation {device.Claim.Generation}.");
    }

    /// <summary>The functions changed: drivers, virtual functions.</summary>
    public void NoteInventory() => scanned = null;

    public HostInventory Scan() => scanned ??= Blueprint.Inventory with { Functions = Tree.Scan() };

    public void ConfigureVfs(PciAddress physical, int count)
    {
        configuredVfs[physical] = count;
        scanned = null;
        Record(new JournalRecord.VirtualFunctionsAre(physical, count));
    }

    /// <summary>The guest's NICs come to life, if they are not alive already, and stay so until they are released.</summary>
    public GuestNetwork HoldNetwork(EmulatedDomain domain, object holder)
    {
        if (domain.Network is { } present)
        {
            present.Hold(holder);
            return present;
        }
        var awake = domain.Network = new GuestNetwork(domain, Network, Tree, Iommu, Interrupts, Clock);
        awake.Hold(holder);
        awake.Refresh();
        return awake;
    }

    /// <summary>Its driver of the host has it, no guest has it or will have it, and the host does not live on it.</summary>
    private bool MayBeCut(EmulatedFunction function) =>
        function.Driver is not null && function.Driver == function.HostDriver && !function.HeldOpen && HoldOf(function.Address)?.Owner is null
        && !Blueprint.Profile.HostCritical.Contains(function.Address);

    /// <summary>True once, when the host's label says that it shall die at this point.</summary>
    public bool DiesAt(CrashPoint point)
    {
        if (Labels.CrashesAt != point || spentCrash == point)
            return false;
        spentCrash = point;
        return true;
    }

    /// <summary>What others did with the host's domains must end when it dies (a copy from or to it).</summary>
    public event Action<EmulatedHost>? Crashed;

    /// <summary>Power is lost: guests die, calls fail, nothing of the hardware keeps its state.</summary>
    public void Crash()
    {
        if (IsDown)
            return;
        IsDown = true;
        // Those who copy to or from here look at the domains once more before they are gone.
        Crashed?.Invoke(this);
        foreach (var domain in Domains.Values.ToArray())
        {
            domain.LoseUnplugs();
            domain.PoweringOff?.TrySetResult(null);
            if (domain.State == DomainState.Incoming)
                Domains.Remove(domain.Vm);
            if (domain.State != DomainState.Off)
                GuestPower.Off(this, domain);
        }
        HardwareReset();
        Record(new JournalRecord.HostDied());
        Events.End();
        Chassis?.Reconsider();
        if (Labels.RevivesAfter is { } after)
            Clock.Quietly(Clock.Now + after, Revive);
    }

    /// <summary>The host's own parts; what a guest makes count is the guest's.</summary>
    public void CountInto(CounterSheet sheet)
    {
        sheet.Add("domains", "defined", Domains.Count);
        sheet.Add("domains", "running", Domains.Values.Count(d => d.State == DomainState.Running));
        Tree.Drivers.CountInto(sheet);
        Memory.CountInto(sheet);
        Iommu.CountInto(sheet);
        Interrupts.CountInto(sheet);
        Network.CountInto(sheet);
        Chassis?.CountInto(sheet, this);
        Peripherals.CountInto(sheet);
        Mediation.CountInto(sheet);
    }

    /// <summary>
    /// The host boots again: its domains are known and off, its functions appear to its drivers anew, and its configuration is applied.
    /// What was seen of generations stays: it is on the host's disk.
    /// </summary>
    public void Revive()
    {
        if (!IsDown)
            return;
        IsDown = false;
        Interrupts.PowerOn();
        Tree.Boot(new BootSettings(new HiddenFunctions(Labels.HiddenFunctions), configuredVfs, [], []));
        scanned = null;
        Record(BootRecord);
    }

    /// <summary>No device is open or reaches anything, no driver has any, and nothing is left of what was set for guests.</summary>
    private void HardwareReset()
    {
        Mediation.Clear();
        Iommu.Reset();
        OpenDevices.Clear();
        Tree.PowerOff();
        foreach (var (address, hold) in holds.ToArray())
            holds[address] = hold with { Owner = null, Settings = DeviceSettings.None };
        scanned = null;
    }
}
