using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Journal;
using ControlPlane.Hypervisor.Emulated.Mediated;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Hypervisor.Emulated.Net;
using ControlPlane.Hypervisor.Emulated.Nics;
using ControlPlane.Hypervisor.Emulated.Paging;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>A domain of an emulated host: its definition, and while it is on, its guest.</summary>
internal sealed class EmulatedDomain : ICounting
{
    private readonly GuestTimings timings;
    private Dictionary<string, DateTimeOffset>? pluggedAt;
    private List<UnplugRequest>? unplugs;
    private List<Action>? whenResumed;

    public EmulatedDomain(DomainDefinition definition, GuestTimings timings)
    {
        this.timings = timings;
        Definition = definition;
        Behaviour = new GuestBehaviour(definition.Labels, timings);
    }

    public VmId Vm => Definition.Ref.Vm;

    public DomainDefinition Definition { get; private set; }

    public GuestBehaviour Behaviour { get; private set; }

    public DomainState State
    {
        get;
        set
        {
            field = value;
            Network?.Disturbed?.Invoke();
        }
    }

    /// <summary>A switch-over is under way: the guest runs nowhere until it is over.</summary>
    public bool IsSwitching
    {
        get;
        set
        {
            field = value;
            Network?.Disturbed?.Invoke();
        }
    }

    /// <summary>What must end before the guest is taken away: a copy from it or to it.</summary>
    public Action? BeforeOff { get; set; }

    /// <summary>When the guest began to boot, for the last time.</summary>
    public DateTimeOffset StartedAt { get; set; }

    /// <summary>From then on the guest hears of hot-plug and of the power button.</summary>
    public DateTimeOffset BootedAt => StartedAt + Behaviour.Boot;

    /// <summary>Counts starts and stops, so that what was planned for one life of the guest does not happen in the next.</summary>
    public int Life { get; set; }

    public Generation? RebootedAtEpoch { get; set; }

    /// <summary>Null while the domain is off.</summary>
    public GuestMemory? Memory { get; set; }

    public long FirstFrame { get; set; }

    /// <summary>What its devices may reach; null until it has one.</summary>
    public ProtectionDomain? Dma { get; set; }

    /// <summary>How its addresses become the host's; null while it is off.</summary>
    public GuestPaging? Paging { get; set; }

    public DirtyWorkload? Workload { get; set; }

    /// <summary>Its processor and console port; null while the domain is off or still arrives.</summary>
    public GuestMachine? Machine { get; set; }

    /// <summary>The last of what the guest printed since the domain was made here.</summary>
    public string ConsoleText => Console?.Text ?? "";

    /// <summary>Null until the guest has run here.</summary>
    public SerialConsole? Console { get; set; }

    /// <summary>Of all its CPUs, since the domain was made here.</summary>
    public ExitCounters Exits { get; } = new();

    /// <summary>Its disks and what else it has; null while it is off.</summary>
    public GuestPeripherals? Peripherals { get; set; }

    /// <summary>Null until it was migrated.</summary>
    public MigrationCounters? LastMigration { get; set; }

    /// <summary>Of all NICs that the guest has had here.</summary>
    public NicCounterSet Nics { get; } = new();

    /// <summary>Instances that the host holds for it while it is on or arrives; null: none.</summary>
    public IReadOnlyList<MediatedInstance>? PlacedInstances { get; set; }

    /// <summary>Its side of them; null while it has none.</summary>
    public GuestMediation? Mediation { get; set; }

    /// <summary>Where its NICs stood on the host that it comes from, until they go on here; null: it began here.</summary>
    public Dictionary<string, NicState>? ArrivedNics { get; set; }

    /// <summary>Null while nobody watches the guest's traffic or makes some.</summary>
    public GuestNetwork? Network { get; set; }

    /// <summary>Somebody waits for the guest to power off.</summary>
    public TaskCompletionSource<bool?>? PoweringOff { get; set; }

    public bool IsOn => State is DomainState.Running or DomainState.Paused;

    public DomainStatus Status => new(
        Definition.Ref, Definition.Name, State,
        [.. Definition.Devices.Select(d => new PluggedDevice(d.Name, d.Claim, d.GuestAddress, d.Settings.Mac))], Definition.Interfaces);

    public JournalRecord.DomainIs ToRecord() => new(Definition, State, StartedAt, RebootedAtEpoch) { Mediated = Mediation?.Placements };

    /// <summary>Of its interfaces, of its functions, and the one that its driver sets by itself.</summary>
    public IEnumerable<MacAddress> Addresses
    {
        get
        {
            foreach (var one in Definition.Interfaces)
                yield return one.Mac;
            foreach (var one in Definition.Devices)
            {
                if (one.Settings.Mac is { } mac)
                    yield return mac;
            }
            if (Behaviour.OwnMac is { } own)
                yield return own;
        }
    }

    public DomainDevice? Device(string name) => Definition.Devices.FirstOrDefault(d => d.Name == name);

    public DomainInterface? Interface(string name) => Definition.Interfaces.FirstOrDefault(i => i.Name == name);

    /// <summary>True when something else of the guest stands at the address.</summary>
    public bool IsTaken(PciAddress guestAddress, string exceptName) =>
        Definition.Devices.Any(d => d.GuestAddress == guestAddress && d.Name != exceptName)
        || Definition.Interfaces.Any(i => i.GuestAddress == guestAddress && i.Name != exceptName);

    public void Redefine(DomainDefinition definition)
    {
        Definition = definition;
        Behaviour = new GuestBehaviour(definition.Labels, timings);
    }

    public void RaiseEpoch(Generation epoch)
    {
        if (epoch > Definition.Ref.Epoch)
            Definition = Definition with { Ref = Definition.Ref with { Epoch = epoch } };
    }

    /// <summary>When the guest's driver of a device has its link.</summary>
    public DateTimeOffset DriverReadyAt(string device)
    {
        var appeared = pluggedAt is not null && pluggedAt.TryGetValue(device, out var at) && at > StartedAt ? at : StartedAt;
        // A guest finds a device that came during its boot at the end of the boot.
        return (appeared > BootedAt ? appeared : BootedAt) + Behaviour.DriverProbe;
    }

    /// <summary>When traffic goes through a device, its failover pair's change of path included.</summary>
    public DateTimeOffset CarriesAt(string device) => DriverReadyAt(device) + Behaviour.PathChange;

    public void NotePlugged(string device, DateTimeOffset at) => (pluggedAt ??= [])[device] = at;

    public void ForgetAllPlugged() => pluggedAt = null;

    public void CloseNetwork()
    {
        Network?.Close();
        Network = null;
    }

    /// <summary>What the guest was about to do when it was paused.</summary>
    public void WhenResumed(Action action) => (whenResumed ??= []).Add(action);

    public void RunResumed()
    {
        var actions = whenResumed;
        whenResumed = null;
        Machine?.Interrupts.Resume();
        Network?.Resume();
        Peripherals?.Resume();
        foreach (var action in actions ?? [])
            action();
    }

    /// <summary>What the guest made count since it was started here; nothing while it is off.</summary>
    public void CountInto(CounterSheet sheet)
    {
        Exits.CountInto(sheet);
        Machine?.CountInto(sheet);
        Console?.CountInto(sheet);
        Memory?.CountInto(sheet);
        Paging?.CountInto(sheet);
        LastMigration?.CountInto(sheet);
        Nics.CountInto(sheet);
        Dma?.CountInto(sheet);
        Peripherals?.CountInto(sheet);
        Mediation?.CountInto(sheet);
    }

    public UnplugRequest? UnplugOf(string name, bool isInterface) =>
        unplugs?.Find(u => u.Name == name && u.IsInterface == isInterface);

    public UnplugRequest BeginUnplug(string name, bool isInterface)
    {
        var request = new UnplugRequest(name, isInterface);
        (unplugs ??= []).Add(request);
        return request;
    }

    public void EndUnplug(UnplugRequest request, UnplugResult? result)
    {
        unplugs?.Remove(request);
        request.Close(result);
    }

    /// <summary>The host is gone: whoever waits for the guest's word hears that none will come.</summary>
    public void LoseUnplugs()
    {
        foreach (var request in unplugs?.ToArray() ?? [])
            EndUnplug(request, null);
    }

    /// <summary>The guest is off, so what it was asked to let go needs nobody's leave.</summary>
    public void CompleteUnplugs()
    {
        foreach (var request in unplugs?.ToArray() ?? [])
        {
            Remove(request.Name, request.IsInterface);
            EndUnplug(request, UnplugResult.Unplugged);
        }
    }

    public void Remove(string name, bool isInterface)
    {
        Definition = isInterface ? Definition.WithoutInterface(name) : Definition.WithoutDevice(name);
        if (!isInterface)
            pluggedAt?.Remove(name);
    }
}
