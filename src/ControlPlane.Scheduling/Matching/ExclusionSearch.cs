using ControlPlane.Scheduling.Snapshot;

namespace ControlPlane.Scheduling.Matching;

/// <summary>
/// A physical function that is taken costs its virtual ones. When one request could use both, which physical functions to give up is a
/// choice that flow cannot make: this tries the sets of them, the smallest first, treating like ones as one. Fleets whose physical
/// functions stay with their hosts (the default) never come here.
/// </summary>
internal sealed class ExclusionSearch
{
    /// <summary>More sets than any real host needs (twelve different ones, or thousands of like ones); the rest is not tried.</summary>
    private const int MaxSets = 4096;

    private readonly List<int> candidates = [];
    private readonly List<long> signatures = [];
    private readonly List<int[]> sets = [];
    private bool[] allowedGroups = [];
    private bool[] takenFunctions = [];
    private DeviceTable table = DeviceTable.None;
    private bool isActive;
    private int next;

    /// <summary>False: nothing excludes anything here, and one match without a search is enough.</summary>
    public bool Start(DeviceTable table, CompiledRequest request)
    {
        isActive = false;
        candidates.Clear();
        foreach (ref readonly var bucket in table.Buckets)
        {
            if (bucket.TakesPhysicalFunction && IsWanted(bucket, request) && !candidates.Contains(bucket.Group))
                candidates.Add(bucket.Group);
        }
        if (candidates.Count == 0)
            return false;
        if (allowedGroups.Length < table.Groups.Length)
            allowedGroups = new bool[table.Groups.Length];
        if (takenFunctions.Length < table.Rows.Length)
            takenFunctions = new bool[table.Rows.Length];
        Allow(table, [.. candidates]);
        if (!AnyExcluded(table, request))
            return false;
        ListSets(table);
        isActive = true;
        next = 0;
        this.table = table;
        return true;
    }

    public bool Next()
    {
        if (next == sets.Count)
            return false;
        Allow(table, sets[next++]);
        return true;
    }

    public bool Allows(in Bucket bucket, DeviceTable of) =>
        !isActive || ((!bucket.TakesPhysicalFunction || allowedGroups[bucket.Group]) && !IsExcluded(bucket, of));

    private void Allow(DeviceTable of, int[] groups)
    {
        Array.Clear(allowedGroups);
        Array.Clear(takenFunctions);
        foreach (var group in groups)
        {
            allowedGroups[group] = true;
            foreach (var member in of.MembersOf(group))
                takenFunctions[member] |= of.Rows[member].IsClaimable && of.Rows[member].Has(DeviceFlags.Physical);
        }
    }

    private bool AnyExcluded(DeviceTable of, CompiledRequest request)
    {
        foreach (ref readonly var bucket in of.Buckets)
        {
            if (IsWanted(bucket, request) && IsExcluded(bucket, of))
                return true;
        }
        return false;
    }

    /// <summary>Taking it would take a virtual function of a physical one that is taken.</summary>
    private bool IsExcluded(in Bucket bucket, DeviceTable of)
    {
        if (bucket.Group < 0)
            return bucket.PhysicalFunctionRow >= 0 && takenFunctions[bucket.PhysicalFunctionRow];
        foreach (var member in of.MembersOf(bucket.Group))
        {
            ref readonly var row = ref of.Rows[member];
            if (row.IsClaimable && row.PhysicalFunctionRow >= 0 && takenFunctions[row.PhysicalFunctionRow])
                return true;
        }
        return false;
    }

    private static bool IsWanted(in Bucket bucket, CompiledRequest request)
    {
        foreach (var demandClass in request.Classes)
        {
            if (demandClass.Fits(bucket))
                return true;
        }
        return false;
    }

    private void ListSets(DeviceTable of)
    {
        candidates.Sort((a, b) => Signature(of, a).CompareTo(Signature(of, b)) is not 0 and var order ? order : a.CompareTo(b));
        signatures.Clear();
        foreach (var group in candidates)
            signatures.Add(Signature(of, group));
        sets.Clear();
        var chosen = new List<int>();
        for (var size = 0; size <= candidates.Count && sets.Count < MaxSets; size++)
            Extend(chosen, 0, size, skippedLike: false);
    }

    /// <summary>Of like groups only the first so many are ever chosen: the others would give the same match.</summary>
    private void Extend(List<int> chosen, int index, int size, bool skippedLike)
    {
        if (chosen.Count == size)
        {
            sets.Add([.. chosen]);
            return;
        }
        if (index == candidates.Count || sets.Count >= MaxSets || candidates.Count - index < size - chosen.Count)
            return;
        var like = index > 0 && signatures[index] == signatures[index - 1];
        if (!(like && skippedLike))
        {
            chosen.Add(candidates[index]);
            Extend(chosen, index + 1, size, skippedLike: false);
            chosen.RemoveAt(chosen.Count - 1);
        }
        Extend(chosen, index + 1, size, skippedLike: true);
    }

    /// <summary>Equal for single functions of one model whose available virtual functions are equal too; all else is unlike.</summary>
    private static long Signature(DeviceTable of, int group)
    {
        if (of.Groups[group].Endpoints > 1)
            return -1 - group;
        var function = -1;
        foreach (var member in of.MembersOf(group))
            function = of.Rows[member].IsEndpoint ? member : function;
        // FNV-1a and not HashCode, whose seed is another in every process: the same fleet must give the same answer everywhere.
        var hash = Mixed(Mixed(Mixed(14695981039346656037UL, of.Rows[function].Alike), of.Rows[function].PoolSet), of.NodeOf(of.Rows[function]));
        foreach (ref readonly var bucket in of.Buckets)
        {
            if (bucket.PhysicalFunctionRow != function)
                continue;
            hash = Mixed(Mixed(Mixed(hash, bucket.Alike), bucket.PoolSet), bucket.NumaNode);
            hash = Mixed(Mixed(hash, bucket.Count), bucket.Group); // -1 where each is alone in a group: those are like.
        }
        return (long)(hash >> 1);
    }

    private static ulong Mixed(ulong hash, int value) => (hash ^ (uint)value) * 1099511628211UL;
}
