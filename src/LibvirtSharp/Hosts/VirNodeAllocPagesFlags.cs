namespace LibvirtSharp;

/// <summary>How a host's pool of huge pages is changed. Stands for C's <c>virNodeAllocPagesFlags</c>.</summary>
[Flags]
public enum VirNodeAllocPagesFlags : uint
{
    /// <summary><c>VIR_NODE_ALLOC_PAGES_ADD</c>: the counts are added to the pool.</summary>
    Add = 0,

    /// <summary><c>VIR_NODE_ALLOC_PAGES_SET</c>: the counts are the pool's new sizes.</summary>
    Set = 1u << 0,
}
