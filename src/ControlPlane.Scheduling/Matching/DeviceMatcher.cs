using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Matching;

/// <summary>
/// Chooses functions of one host for a request. Buckets of interchangeable functions are the slots; when virtual functions have to come
/// from different physical ones, each physical one is a slot for one. What an IOMMU group takes along is settled by
/// <see cref="ExclusionSearch"/> before: within one scope and one set of allowed groups the problem is plain bipartite matching.
/// </summary>
internal sealed class DeviceMatcher
{
    private readonly FlowNetwork network = new();
    private readonly ExclusionSearch exclusions = new();
    private int[] bucketOfSlot = [];
    private int[] physicalFunctionOfSlot = [];
    private int[] slotOfPhysicalFunction = [];
    private int[] freeOfPhysicalFunction = [];
    private int[] takenOfBucket = [];
    private int[] classOrder = [];
    private int[] supplyOfClass = [];
    private bool[] takenGroups = [];
    private MatchScope scope;

    /// <summary>Rows of physical functions that a bond-safe set may not use: the VM has a virtual one of each.</summary>
    public HashSet<int> BondedFunctions { get; } = [];


    /// <summary>The most demands that the scope can serve, well chosen. Complete whenever a complete choice exists.</summary>
    public void Match(DeviceTable table, CompiledRequest request, in MatchScope within, DeviceCatalog catalog, DeviceMatch best)
    {
        scope = within;
        best.Reset(request.ClassOfDemand.Length);
        if (request.ClassOfDemand.Length == 0)
            return;
        if (!exclusions.Start(table, request))
        {
            MatchAllowed(table, request, catalog, best);
            return;
        }
        var trial = new DeviceMatch();
        while (exclusions.Next())
        {
            trial.Reset(best.Rows.Length);
            MatchAllowed(table, request, catalog, trial);
            if (trial.Matched > best.Matched)
                best.CopyFrom(trial);
            if (best.IsComplete)
                return;
        }
    }

    private void MatchAllowed(DeviceTable table, CompiledRequest request, DeviceCatalog catalog, DeviceMatch match)
    {
        BuildSlots(table, request, catalog);
        OrderClasses(request);
        foreach (var c in classOrder.AsSpan(0, request.Classes.Length))
        {
            for (var unit = 0; unit < request.Classes[c].Count; unit++)
            {
                if (!PlaceUnit(c, table, catalog))
                    break;
            }
        }
        Choose(table, request, catalog, match);
    }

    private void BuildSlots(DeviceTable table, CompiledRequest request, DeviceCatalog catalog)
    {
        var buckets = table.Buckets;
        EnsureCapacity(buckets.Length, table, request.Classes.Length);
        network.Reset(request.Classes.Length, Math.Max(1, buckets.Length));
        Array.Fill(slotOfPhysicalFunction, -1, 0, table.Rows.Length);
        Array.Clear(freeOfPhysicalFunction, 0, table.Rows.Length);
        Array.Clear(takenOfBucket, 0, buckets.Length);
        Array.Clear(takenGroups, 0, table.Groups.Length);
        for (var b = 0; b < buckets.Length; b++)
        {
            ref readonly var bucket = ref buckets[b];
            if (bucket.PhysicalFunctionRow >= 0)
                freeOfPhysicalFunction[bucket.PhysicalFunctionRow] += bucket.Count;
            if (!IsInScope(bucket, catalog) || !exclusions.Allows(bucket, table))
                continue;
            var slot = -1;
            for (var c = 0; c < request.Classes.Length; c++)
            {
                if (!request.Classes[c].Fits(bucket))
                    continue;
                if (slot < 0)
                    slot = SlotFor(b, bucket);
                network.Allow(c, slot);
            }
        }
    }

    private bool IsInScope(in Bucket bucket, DeviceCatalog catalog)
    {
        if (scope.Node != MatchScope.AnyNode && bucket.NumaNode != scope.Node)
            return false;
        if (!scope.BondSafe || !bucket.IsVirtual)
            return true;
        var wires = catalog.WiresOf(bucket.PoolSet);
        return bucket.NumaNode == scope.BondNode && bucket.NumaNode != DeviceRow.UnknownNode && bucket.PhysicalFunctionRow >= 0
            && !BondedFunctions.Contains(bucket.PhysicalFunctionRow)
            && (scope.BondWire == MatchScope.UnsaidWire ? wires.Length == 0 : wires.AsSpan().Contains(scope.BondWire));
    }

    private int SlotFor(int index, in Bucket bucket)
    {
        var onePerFunction = scope.BondSafe && bucket.IsVirtual;
        if (onePerFunction && slotOfPhysicalFunction[bucket.PhysicalFunctionRow] is >= 0 and var shared)
            return shared;
        var slot = network.AddSlot(onePerFunction ? 1 : bucket.Count);
        bucketOfSlot[slot] = index;
        physicalFunctionOfSlot[slot] = onePerFunction ? bucket.PhysicalFunctionRow : -1;
        if (onePerFunction)
            slotOfPhysicalFunction[bucket.PhysicalFunctionRow] = slot;
        return slot;
    }

    /// <summary>Those with the fewest functions to choose from first: they leave the others the least to repair.</summary>
    private void OrderClasses(CompiledRequest request)
    {
        for (var c = 0; c < request.Classes.Length; c++)
        {
            classOrder[c] = c;
            supplyOfClass[c] = 0;
            for (var slot = 0; slot < network.Slots; slot++)
                supplyOfClass[c] += network.Allows(c, slot) ? network.Left(slot) : 0;
        }
        Array.Sort(supplyOfClass, classOrder, 0, request.Classes.Length);
    }

    private bool PlaceUnit(int demandClass, DeviceTable table, DeviceCatalog catalog)
    {
        var best = -1;
        var bestPreference = long.MinValue;
        for (var slot = 0; slot < network.Slots; slot++)
        {
            if (!network.Allows(demandClass, slot) || network.Left(slot) == 0)
                continue;
            var preference = Preference(table.Buckets[bucketOfSlot[slot]], slot, catalog);
            if (preference > bestPreference)
                (best, bestPreference) = (slot, preference);
        }
        if (best >= 0)
            network.Place(demandClass, best);
        else
            best = network.Augment(demandClass);
        if (best < 0)
            return false;
        ref readonly var taken = ref table.Buckets[bucketOfSlot[best]];
        if (taken.PhysicalFunctionRow >= 0)
            freeOfPhysicalFunction[taken.PhysicalFunctionRow]--;
        if (taken.Group >= 0)
            takenGroups[taken.Group] = true;
        return true;
    }

    /// <summary>No virtual functions lost, few companions, functions that few pools want, and the physical function with most left.</summary>
    private long Preference(in Bucket bucket, int slot, DeviceCatalog catalog)
    {
        var left = bucket.PhysicalFunctionRow >= 0 ? freeOfPhysicalFunction[bucket.PhysicalFunctionRow] : network.Left(slot);
        // A group that this VM has anyway costs nothing more.
        var cost = bucket.Group >= 0 && takenGroups[bucket.Group] ? 0
            : (bucket.TakesPhysicalFunction ? 1L << 50 : 0) + (bucket.Group >= 0 ? (long)bucket.Companions << 40 : 0);
        return -cost - ((long)catalog.PoolsOf(bucket.PoolSet).Length << 20) + left;
    }

    private void Choose(DeviceTable table, CompiledRequest request, DeviceCatalog catalog, DeviceMatch match)
    {
        Span<int> slotOfClass = request.Classes.Length <= 128 ? stackalloc int[request.Classes.Length] : new int[request.Classes.Length];
        Span<int> doneOfClass = request.Classes.Length <= 128 ? stackalloc int[request.Classes.Length] : new int[request.Classes.Length];
        slotOfClass.Clear();
        doneOfClass.Clear();
        for (var d = 0; d < request.ClassOfDemand.Length; d++)
        {
            var c = request.ClassOfDemand[d];
            while (slotOfClass[c] < network.Slots && doneOfClass[c] == network.FlowOf(c, slotOfClass[c]))
            {
                slotOfClass[c]++;
                doneOfClass[c] = 0;
            }
            if (slotOfClass[c] == network.Slots)
                continue;
            doneOfClass[c]++;
            match.Rows[d] = TakeRow(table, catalog, request.Classes[c], slotOfClass[c]);
            match.Matched++;
        }
        for (var b = 0; b < table.Buckets.Length; b++)
        {
            ref readonly var bucket = ref table.Buckets[b];
            if (takenOfBucket[b] == 0)
                continue;
            match.Companions += bucket.Group >= 0 ? bucket.Companions : 0;
            if (bucket.PhysicalFunctionRow >= 0)
                match.Balance = Math.Min(match.Balance, freeOfPhysicalFunction[bucket.PhysicalFunctionRow] / (freeOfPhysicalFunction[bucket.PhysicalFunctionRow] + 1.0));
        }
    }

    private int TakeRow(DeviceTable table, DeviceCatalog catalog, DemandClass demandClass, int slot)
    {
        var chosen = bucketOfSlot[slot];
        if (physicalFunctionOfSlot[slot] >= 0)
            chosen = BucketOnFunction(table, catalog, demandClass, physicalFunctionOfSlot[slot]);
        ref readonly var bucket = ref table.Buckets[chosen];
        return table.RowsOf(bucket)[takenOfBucket[chosen]++];
    }

    /// <summary>A physical function's slot stands for several buckets when its functions differ in pools or groups: the one that costs least.</summary>
    private int BucketOnFunction(DeviceTable table, DeviceCatalog catalog, DemandClass demandClass, int physicalFunction)
    {
        var best = -1;
        for (var b = 0; b < table.Buckets.Length; b++)
        {
            ref readonly var bucket = ref table.Buckets[b];
            if (bucket.PhysicalFunctionRow == physicalFunction && demandClass.Fits(bucket) && IsInScope(bucket, catalog) && exclusions.Allows(bucket, table)
                && (best < 0 || bucket.Companions < table.Buckets[best].Companions))
            {
                best = b;
            }
        }
        return best;
    }

    private void EnsureCapacity(int buckets, DeviceTable table, int classes)
    {
        if (bucketOfSlot.Length < buckets)
        {
            bucketOfSlot = new int[buckets];
            physicalFunctionOfSlot = new int[buckets];
            takenOfBucket = new int[buckets];
        }
        if (slotOfPhysicalFunction.Length < table.Rows.Length)
        {
            slotOfPhysicalFunction = new int[table.Rows.Length];
            freeOfPhysicalFunction = new int[table.Rows.Length];
        }
        if (takenGroups.Length < table.Groups.Length)
            takenGroups = new bool[table.Groups.Length];
        if (classOrder.Length < classes)
        {
            classOrder = new int[classes];
            supplyOfClass = new int[classes];
        }
    }
}
