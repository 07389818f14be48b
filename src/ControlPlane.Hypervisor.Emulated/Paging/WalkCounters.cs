namespace ControlPlane.Hypervisor.Emulated.Paging;

/// <summary>What walks cost. A reference is one load of a table's entry.</summary>
internal sealed class WalkCounters
{
    /// <summary>Misses of a TLB that were looked up in tables.</summary>
    public long Walks { get; set; }

    public long References { get; set; }

    /// <summary>Accessed and dirty flags that walks set.</summary>
    public long FlagUpdates { get; set; }
}
