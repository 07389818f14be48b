using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>All PCI functions of one emulated host, as its kernel has enumerated them.</summary>
internal sealed class PciTree
{
    private readonly SortedList<PciAddress, EmulatedFunction> functions = [];
    private readonly Dictionary<PciAddress, SriovState> sriov = [];
    private readonly Dictionary<PciAddress, EmulatedFunction> absent = [];
    private readonly MachineBlueprint blueprint;
    private int nextGroup;

    /// <param name="settings">Of the host's first boot; null: as described, and nothing is hidden.</param>
    /// <param name="autoprobe">See <see cref="DriverCore"/>; null: always.</param>
    public PciTree(MachineBlueprint blueprint, BootSettings? settings = null, Func<PciAddress, bool>? autoprobe = null)
    {
        this.blueprint = blueprint;
        Drivers = new DriverCore(autoprobe ?? (_ => true));
        Drivers.Begin(settings ??= BootSettings.AsDescribed);
        var described = blueprint.Inventory.Functions;
        nextGroup = described.Max(f => f.IommuGroup) is { } highest ? highest + 1 : 0;
        foreach (var function in described.Where(f => f.Function != FunctionKind.Virtual))
        {
            var made = new EmulatedFunction(function, blueprint.NewConfig(function));
            if (!made.IsBridge && settings.Absent.Contains(function.Address))
                absent[function.Address] = made;
            else
                Add(made);
        }
        foreach (var physical in functions.Values.Concat(absent.Values).Where(f => f.Sriov is not null).OrderBy(f => f.Address).ToArray())
            AddSriov(physical);
        // A description may show virtual functions without their maker (a dump without its capabilities): they stand for themselves.
        foreach (var orphan in described.Where(f => f.Function == FunctionKind.Virtual && IsOrphan(f)))
        {
            var physical = orphan.PhysicalFunction is { } address ? Find(address) : null;
            Add(new EmulatedFunction(orphan, blueprint.NewConfig(orphan), physical));
        }
        Configure(settings);
    }

    /// <summary>Who drives the functions.</summary>
    public DriverCore Drivers { get; }

    /// <summary>In the order of their addresses.</summary>
    public IEnumerable<EmulatedFunction> Functions => functions.Values;

    public EmulatedFunction? Find(PciAddress address) => functions.GetValueOrDefault(address);

    /// <summary>What the hardware of a physical function has, whatever a host asks of it.</summary>
    public DeviceLimits LimitsOf(EmulatedFunction physical) => ModelOf(physical)?.Limits ?? DeviceLimits.Unknown;

    /// <summary>The device model of a function that is not virtual; null: none is known.</summary>
    public DeviceModel? ModelOf(EmulatedFunction function) => blueprint.ModelOf(function.Described);

    /// <summary>Also while it is in another host's hierarchy.</summary>
    public EmulatedFunction? Known(PciAddress address) => Find(address) ?? absent.GetValueOrDefault(address);

    /// <summary>The SR-IOV side of a physical function; null for every other.</summary>
    public SriovState? SriovOf(PciAddress physical) => sriov.GetValueOrDefault(physical);

    public IReadOnlyList<PciFunction> Scan() =>
        [.. functions.Values.Select(f => f.Facts(sriov.TryGetValue(f.Address, out var state) ? state.Virtual.Count : 0))];

    public IEnumerable<EmulatedFunction> GroupOf(int group) => functions.Values.Where(f => f.IommuGroup == group);

    public bool SharesBus(EmulatedFunction function) =>
        functions.Values.Any(f => f.Parent == function.Parent && f.Address != function.Address && f.PhysicalFunction != function);

    /// <summary>The bridge above; null on a root bus.</summary>
    public EmulatedFunction? BridgeAbove(EmulatedFunction function) => function.Parent is { } parent ? Find(parent) : null;

    /// <summary>
    /// The id that a function's requests carry upstream. A bridge from PCI Express to conventional PCI takes over what comes from behind it, under
    /// its secondary bus and device 0 (PCI Express to PCI bridge specification 2.3; Linux: <c>pci_for_each_dma_alias</c>).
    /// </summary>
    public PciAddress RequesterIdOf(PciAddress address)
    {
        var requester = address;
        for (var bridge = Find(address) is { } function ? BridgeAbove(function) : null; bridge is not null; bridge = BridgeAbove(bridge))
        {
            if (bridge.Described.Kind == PciKind.PcieToPciBridge)
                requester = new PciAddress(bridge.Address.Domain, (int)bridge.Config.Read(PciRegisters.SecondaryBus, 1), 0, 0);
        }
        return requester;
    }

    /// <summary>
    /// The highest bus number that routing ids below this bridge may have. A described bridge whose buses were not programmed restricts nothing.
    /// </summary>
    public int LastBusFor(EmulatedFunction function)
    {
        var subordinate = BridgeAbove(function)?.Config.Read(PciRegisters.SubordinateBus, 1) ?? 0;
        return subordinate == 0 ? 0xff : (int)subordinate;
    }

    /// <summary>Writes a function's register and lets happen what that sets off in the tree.</summary>
    public void WriteConfig(EmulatedFunction function, int offset, int width, uint value)
    {
        var effect = function.Config.Write(offset, width, value);
        if (effect.HasFlag(ConfigEffect.VirtualFunctions))
            sriov[function.Address].OnControlChanged();
        if (effect.HasFlag(ConfigEffect.FunctionReset) || effect.HasFlag(ConfigEffect.PowerReset))
            ResetOne(function);
        if (effect.HasFlag(ConfigEffect.BusReset))
        {
            foreach (var below in functions.Values.Where(f => f.Parent == function.Address).ToArray())
                ResetOne(below);
        }
    }

    /// <summary>
    /// Whether a VMM may open the functions of a group (the kernel's rule for VFIO): each endpoint is bound to vfio-pci or to nothing. Ports
    /// and bridges do not count, for their driver does no DMA of its own.
    /// </summary>
    /// <returns>The functions that stand in the way; empty: the group is viable.</returns>
    public IReadOnlyList<EmulatedFunction> NotViable(int group) =>
        [.. GroupOf(group).Where(f => !f.IsBridge && f.Driver is not (null or EmulatedFunction.VfioDriver))];

    /// <summary>The host has lost its power. What functions are there shows at the next boot.</summary>
    public void PowerOff()
    {
        foreach (var function in functions.Values)
        {
            function.HeldOpen = false;
            Drivers.PowerOff(function);
        }
    }

    /// <summary>The host boots again: every function appears to its drivers, virtual ones when the driver of theirs has made them.</summary>
    public void Boot(BootSettings settings)
    {
        Drivers.Begin(settings);
        foreach (var state in sriov.Values)
            state.Enable(0);
        foreach (var function in functions.Values.ToArray())
            Drivers.Appear(function);
        foreach (var (physical, state) in sriov)
            Enable(physical, state, DescribedCount(physical));
        Configure(settings);
    }

    /// <summary>The function leaves this hierarchy, its virtual functions and its driver first.</summary>
    public void Withdraw(EmulatedFunction function)
    {
        SriovOf(function.Address)?.Enable(0);
        Drivers.Vanish(function);
        functions.Remove(function.Address);
        absent[function.Address] = function;
    }

    /// <summary>A function comes into this hierarchy, fresh from its reset.</summary>
    /// <param name="virtualFunctions">As many as the host's configuration wants of it.</param>
    /// <param name="powered">False: the host is down, and its next boot finds the function.</param>
    public void Insert(PciAddress address, int virtualFunctions, bool powered)
    {
        if (!absent.Remove(address, out var function))
            return;
        function.OnReset();
        functions.Add(address, function);
        if (!powered)
            return;
        Drivers.Appear(function);
        SriovOf(address)?.Enable(virtualFunctions);
    }

    /// <summary>The virtual functions that the description shows of a physical one.</summary>
    public int DescribedCount(PciAddress physical) => blueprint.Inventory.Functions.Count(f => f.PhysicalFunction == physical);

    internal void Add(EmulatedFunction function)
    {
        functions.Add(function.Address, function);
        Drivers.Appear(function);
    }

    internal void Remove(EmulatedFunction function)
    {
        functions.Remove(function.Address);
        Drivers.Vanish(function);
    }

    internal int? GroupForVirtual(EmulatedFunction physical, PciAddress address)
    {
        if (blueprint.Inventory.Functions.FirstOrDefault(f => f.Address == address && f.Function == FunctionKind.Virtual) is { } described)
            return described.IommuGroup;
        if (physical.IommuGroup is null)
            return null;
        return blueprint.IsolatesVirtualFunctions(physical.Described) ? nextGroup++ : physical.IommuGroup;
    }

    private void AddSriov(EmulatedFunction physical)
    {
        var state = new SriovState(this, physical, blueprint.VirtualImageOf(physical.Address));
        sriov[physical.Address] = state;
        Enable(physical.Address, state, DescribedCount(physical.Address));
    }

    private void Enable(PciAddress physical, SriovState state, int count)
    {
        if (functions.ContainsKey(physical))
            state.Enable(count);
    }

    /// <summary>A virtual function that nobody makes: neither a physical one of this description, nor one that is elsewhere now.</summary>
    private bool IsOrphan(PciFunction described) =>
        !functions.ContainsKey(described.Address) && !(described.PhysicalFunction is { } physical && absent.ContainsKey(physical));

    /// <summary>What the host's configuration says of virtual functions, each boot applies.</summary>
    private void Configure(BootSettings settings)
    {
        foreach (var (physical, count) in settings.VirtualFunctions)
        {
            if (SriovOf(physical) is { } state)
                Enable(physical, state, count);
        }
    }

    private void ResetOne(EmulatedFunction function)
    {
        function.OnReset();
        if (sriov.TryGetValue(function.Address, out var state))
            state.OnControlChanged();
    }
}
