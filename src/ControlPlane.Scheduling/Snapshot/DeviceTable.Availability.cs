using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Scheduling.Snapshot;

/// <summary>What follows from the rows: blocked groups, then buckets of what is left.</summary>
internal sealed partial class DeviceTable
{
    /// <summary>True when the row itself could be handed out, leaving its group and its physical function aside.</summary>
    public static bool IsOffered(in DeviceRow row) =>
        row.IsClaimable && row.Has(DeviceFlags.Assignable) && row.Group != DeviceRow.NoIndex;

    public bool IsAvailable(in DeviceRow row) => IsOffered(row) && groups[row.Group].Block == GroupBlock.None;

    private void Refresh(VmId? seenBy = null)
    {
        foreach (ref var group in groups.AsSpan())
        {
            group.Block = GroupBlock.None;
            group.Endpoints = 0;
            group.TakesPhysicalFunction = false;
            group.Owner = default;
            group.SeveralOwners = false;
        }
        foreach (ref readonly var row in rows.AsSpan())
        {
            if (row.BindsGroup && row.Group != DeviceRow.NoIndex)
                BlockByMember(row, ref groups[row.Group]);
        }
        foreach (ref readonly var row in rows.AsSpan())
        {
            if (row.BindsGroup && row.PhysicalFunctionRow != DeviceRow.NoIndex)
                BlockByExclusion(row, rows[row.PhysicalFunctionRow]);
        }
        if (seenBy is { } vm)
        {
            foreach (ref var group in groups.AsSpan())
            {
                if (group.Owner == vm && !group.SeveralOwners)
                    group.Block &= ~GroupBlock.Owned;
            }
        }
        FillBuckets();
    }

    private static void BlockByMember(in DeviceRow row, ref IommuGroupState group)
    {
        group.Endpoints += row.IsEndpoint ? (short)1 : (short)0;
        if (row.Has(DeviceFlags.HostCritical))
            group.Block |= GroupBlock.HostCritical;
        if (row.IsEndpoint && row.State == DeviceState.Host && row.Has(DeviceFlags.HostDriver))
            group.Block |= GroupBlock.HostUsed;
        if (row.IsEndpoint && row.State == DeviceState.Quarantined)
            group.Block |= GroupBlock.Quarantined;
        if (!row.IsOwned)
            return;
        group.SeveralOwners |= group.Block.HasFlag(GroupBlock.Owned) && group.Owner != row.Owner;
        group.Block |= GroupBlock.Owned;
        group.Owner = row.Owner;
    }

    /// <summary>A physical function excludes its virtual ones, and the other way round.</summary>
    private void BlockByExclusion(in DeviceRow virtualFunction, in DeviceRow physicalFunction)
    {
        var physicalTaken = physicalFunction.IsOwned || physicalFunction.State == DeviceState.Quarantined;
        if (virtualFunction.Group != DeviceRow.NoIndex)
        {
            if (physicalTaken)
                groups[virtualFunction.Group].Block |= GroupBlock.PhysicalFunctionOwned;
            if (virtualFunction.Group == physicalFunction.Group && physicalFunction.IsClaimable && virtualFunction.IsClaimable)
                groups[virtualFunction.Group].Block |= GroupBlock.FunctionWithItsOwnVirtual;
        }
        if (physicalFunction.Group == DeviceRow.NoIndex || !physicalFunction.IsClaimable)
            return;
        groups[physicalFunction.Group].TakesPhysicalFunction = true;
        if (virtualFunction.IsOwned || virtualFunction.State == DeviceState.Quarantined)
            groups[physicalFunction.Group].Block |= GroupBlock.VirtualFunctionOwned;
    }

    private void FillBuckets()
    {
        if (bucketRows.Length < rows.Length)
            bucketRows = new short[rows.Length];
        bucketCount = 0;
        Span<short> bucketOfRow = rows.Length <= 512 ? stackalloc short[rows.Length] : new short[rows.Length];
        for (var i = 0; i < rows.Length; i++)
        {
            ref readonly var row = ref rows[i];
            bucketOfRow[i] = row.PoolSet != DeviceCatalog.NoPools && IsAvailable(row) ? (short)BucketFor(row) : DeviceRow.NoIndex;
            if (bucketOfRow[i] != DeviceRow.NoIndex)
                buckets[bucketOfRow[i]].Count++;
        }
        short start = 0;
        foreach (ref var bucket in buckets.AsSpan(0, bucketCount))
        {
            bucket.Start = start;
            start += bucket.Count;
            bucket.Count = 0;
        }
        for (var i = 0; i < rows.Length; i++)
        {
            if (bucketOfRow[i] == DeviceRow.NoIndex)
                continue;
            ref var bucket = ref buckets[bucketOfRow[i]];
            bucketRows[bucket.Start + bucket.Count++] = (short)i;
        }
    }

    private int BucketFor(in DeviceRow row)
    {
        ref readonly var group = ref groups[row.Group];
        var groupMatters = group.Endpoints > 1 || group.TakesPhysicalFunction ? row.Group : DeviceRow.NoIndex;
        var node = (short)NodeOf(row);
        // From the end: rows are sorted by address, so the functions of one device follow each other.
        for (var b = bucketCount - 1; b >= 0; b--)
        {
            ref readonly var bucket = ref buckets[b];
            if (bucket.Group == groupMatters && bucket.PhysicalFunctionRow == row.PhysicalFunctionRow && bucket.PoolSet == row.PoolSet
                && bucket.Alike == row.Alike && bucket.NumaNode == node)
            {
                return b;
            }
        }
        if (bucketCount == buckets.Length)
            Array.Resize(ref buckets, Math.Max(4, bucketCount * 2));
        buckets[bucketCount] = new Bucket
        {
            Alike = row.Alike, PoolSet = row.PoolSet, NumaNode = node, PhysicalFunctionRow = row.PhysicalFunctionRow, Group = groupMatters,
            Companions = (short)(group.Endpoints - 1), IsVirtual = row.Has(DeviceFlags.Virtual),
            TakesPhysicalFunction = group.TakesPhysicalFunction,
        };
        return bucketCount++;
    }
}
