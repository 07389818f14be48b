using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.Topology;

/// <summary>
/// The functions of a host as a tree: who is whose bridge, which bus is a root bus, and in which order the kernel meets them
/// (drivers/pci/probe.c: all functions of a bus, then bus after bus below its bridges; virtual functions when their driver makes them).
/// </summary>
internal sealed class PciTree
{
    public const int None = -1;

    private readonly int[] parents;
    private readonly bool[] multifunction;
    private readonly Dictionary<PciAddress, int> indexes;
    private readonly Dictionary<(int Domain, int Bus), List<int>> byBus = [];

    private PciTree(IReadOnlyList<FunctionFacts> functions)
    {
        Functions = functions;
        parents = new int[functions.Count];
        multifunction = new bool[functions.Count];
        indexes = new Dictionary<PciAddress, int>(functions.Count);
        for (var i = 0; i < functions.Count; i++)
            indexes.Add(functions[i].Address, i);
    }

    /// <summary>Sorted by address.</summary>
    public IReadOnlyList<FunctionFacts> Functions { get; }

    /// <summary>Indexes in the order in which the kernel adds the functions.</summary>
    public IReadOnlyList<int> ScanOrder { get; private set; } = [];

    public static PciTree Build(IEnumerable<FunctionFacts> facts, WarningList warnings)
    {
        var tree = new PciTree([.. facts.OrderBy(f => f.Address)]);
        tree.FindParents(warnings);
        tree.FindMultifunction();
        tree.ScanOrder = tree.Scan();
        return tree;
    }

    public int IndexOf(PciAddress address) => indexes.GetValueOrDefault(address, None);

    /// <summary>Index of the bridge above; <see cref="None"/> on a root bus.</summary>
    public int Parent(int index) => parents[index];

    public bool IsOnRootBus(int index) => parents[index] == None;

    /// <summary>The kernel's <c>multifunction</c>: the header's bit, or found as a function other than the first; never a virtual function.</summary>
    public bool IsMultifunction(int index) => multifunction[index];

    /// <summary>The functions with this one's bus number, itself among them.</summary>
    public IReadOnlyList<int> OnSameBus(int index) => byBus[BusOf(Functions[index].Address)];

    /// <summary>
    /// True for a virtual function whose routing id lies beyond its physical function's bus: the kernel makes a bus for it that no
    /// bridge leads to (drivers/pci/iov.c, virtfn_add_bus).
    /// </summary>
    public bool IsOnVirtualBus(int index) =>
        Functions[index].IsVirtual && Functions[index].PhysicalFunction is { } physical && physical.Bus != Functions[index].Address.Bus;

    private static (int Domain, int Bus) BusOf(PciAddress address) => (address.Domain, address.Bus);

    private void FindParents(WarningList warnings)
    {
        var owners = OwnersOfBuses(warnings);
        for (var i = 0; i < Functions.Count; i++)
        {
            var function = Functions[i];
            var address = function.Address;
            parents[i] = owners.TryGetValue(address.Domain, out var owner) ? owner[address.Bus] : None;
            // Below means a higher bus: this also keeps a description that contradicts itself from making a circle.
            if (parents[i] == None && function.ShownParent is { } shown && IndexOf(shown) is var bridge and not None && shown.Bus < address.Bus)
                parents[i] = bridge;
            if (!byBus.TryGetValue(BusOf(address), out var bus))
                byBus.Add(BusOf(address), bus = []);
            bus.Add(i);
        }
    }

    /// <summary>For each domain, the innermost bridge that leads to each of its 256 buses.</summary>
    private Dictionary<int, int[]> OwnersOfBuses(WarningList warnings)
    {
        var owners = new Dictionary<int, int[]>();
        var bridges = Enumerable.Range(0, Functions.Count).Where(i => Functions[i].Buses is { Secondary: > 0 }).OrderBy(i => Functions[i].Buses!.Secondary);
        foreach (var i in bridges)
        {
            var (bridge, buses) = (Functions[i].Address, Functions[i].Buses!);
            // The kernel's own test for a broken configuration (pci_scan_bridge).
            if (buses.Secondary <= bridge.Bus || buses.Subordinate < buses.Secondary)
            {
                warnings.Add(null, $"leads to buses {buses.Secondary:x2} to {buses.Subordinate:x2}, which cannot be below bus {bridge.Bus:x2}; what is there counts as on a root bus", bridge);
                continue;
            }
            if (!owners.TryGetValue(bridge.Domain, out var owner))
            {
                owners.Add(bridge.Domain, owner = new int[256]);
                Array.Fill(owner, None);
            }
            if (owner[buses.Secondary] != None && Functions[owner[buses.Secondary]].Buses!.Secondary == buses.Secondary)
                warnings.Add(null, $"leads to bus {buses.Secondary:x2}, as {Functions[owner[buses.Secondary]].Address} does", bridge);
            else
                Array.Fill(owner, i, buses.Secondary, buses.Subordinate - buses.Secondary + 1);
        }
        return owners;
    }

    private void FindMultifunction()
    {
        foreach (var bus in byBus.Values)
        {
            // With ARI the bus below a port is one device with up to 256 functions (pci_scan_slot, next_ari_fn).
            var bridge = parents[bus[0]];
            var ari = bridge != None && Functions[bridge].Capabilities.Express is { AriForwardingEnabled: true } && Functions[bus[0]].Capabilities.Ari is not null;
            foreach (var i in bus)
            {
                var address = Functions[i].Address;
                multifunction[i] = !Functions[i].IsVirtual
                    && (Functions[i].HasMultifunctionBit || address.Function != 0 || (ari && address.Device != 0));
            }
        }
    }

    private List<int> Scan()
    {
        var children = new Dictionary<int, List<int>>();
        var roots = new SortedDictionary<(int Domain, int Bus), List<int>>();
        for (var i = 0; i < Functions.Count; i++)
        {
            if (Functions[i].IsVirtual)
                continue;
            if (parents[i] == None)
                Add(roots, BusOf(Functions[i].Address), i);
            else
                Add(children, parents[i], i);
        }
        var order = new List<int>(Functions.Count);
        foreach (var root in roots.Values)
            Visit(root);
        for (var made = 0; made < Functions.Count; made++)
        {
            if (Functions[made].IsVirtual)
                order.Add(made);
        }
        // Each physical function makes its own one after the other, in the order of their numbers.
        order.Sort(order.Count - Functions.Count(f => f.IsVirtual), Functions.Count(f => f.IsVirtual), Comparer<int>.Create(CompareVirtual));
        return order;

        void Visit(List<int> bus)
        {
            order.AddRange(bus);
            foreach (var bridge in bus)
            {
                // Buses strictly grow on the way down, so this ends after at most 256 levels.
                if (children.TryGetValue(bridge, out var below))
                    Visit(below);
            }
        }

        static void Add<TKey>(IDictionary<TKey, List<int>> lists, TKey key, int value)
        {
            if (!lists.TryGetValue(key, out var list))
                lists.Add(key, list = []);
            list.Add(value);
        }
    }

    private int CompareVirtual(int left, int right)
    {
        var byMaker = Nullable.Compare(Functions[left].PhysicalFunction, Functions[right].PhysicalFunction);
        return byMaker != 0 ? byMaker : Functions[left].Address.CompareTo(Functions[right].Address);
    }
}
