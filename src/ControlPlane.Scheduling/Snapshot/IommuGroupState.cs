using ControlPlane.Domain;

namespace ControlPlane.Scheduling.Snapshot;

/// <summary>Why an IOMMU group cannot be handed out now. One foreign member could reach the guest's memory, so one reason is enough.</summary>
[Flags]
internal enum GroupBlock : byte
{
    None = 0,

    /// <summary>A member is critical to the host (boot disk, management NIC).</summary>
    HostCritical = 1,

    /// <summary>A member is held by the host and bound to one of its drivers (vfio_dev_viable in Linux's drivers/vfio/group.c).</summary>
    HostUsed = 2,

    /// <summary>A member is some VM's, or has not been proven free of it.</summary>
    Owned = 4,

    /// <summary>A member failed its proof: it may still do DMA.</summary>
    Quarantined = 8,

    /// <summary>A physical function shares the group with a virtual one of its own: taking both would break their exclusion.</summary>
    FunctionWithItsOwnVirtual = 16,

    /// <summary>A member is a physical function, and a VM has one of its virtual functions.</summary>
    VirtualFunctionOwned = 32,

    /// <summary>A member is a virtual function whose physical one is some VM's.</summary>
    PhysicalFunctionOwned = 64,
}

/// <summary>An IOMMU group of a host: bridges do not count, absent functions do not either.</summary>
internal struct IommuGroupState
{
    /// <summary>The host's number.</summary>
    public int Number;

    /// <summary>Its rows: <c>Members[Start..Start+Count]</c> of the table.</summary>
    public short Start;
    public short Count;

    /// <summary>Present endpoints.</summary>
    public short Endpoints;
    public GroupBlock Block;

    /// <summary>Taking the group takes a physical function that has virtual ones, which are then lost.</summary>
    public bool TakesPhysicalFunction;

    /// <summary>The owner, when <see cref="GroupBlock.Owned"/> and there is only one.</summary>
    public VmId Owner;
    public bool SeveralOwners;
}

/// <summary>Functions of one host that are available and interchangeable: same model, pools, NUMA node and physical function.</summary>
internal struct Bucket
{
    public int Alike;
    public int PoolSet;
    public short NumaNode;

    /// <summary>Row of the physical function of virtual ones; <see cref="DeviceRow.NoIndex"/> for others.</summary>
    public short PhysicalFunctionRow;

    /// <summary>
    /// The group, where it matters which: it has other members, or taking it costs virtual functions. <see cref="DeviceRow.NoIndex"/>
    /// when each function is alone in a group of its own.
    /// </summary>
    public short Group;

    /// <summary>Other members that are taken along with the first function of the group.</summary>
    public short Companions;
    public bool IsVirtual;

    /// <summary><see cref="IommuGroupState.TakesPhysicalFunction"/>.</summary>
    public bool TakesPhysicalFunction;

    /// <summary>Its rows: <c>BucketRows[Start..Start+Count]</c> of the table.</summary>
    public short Start;
    public short Count;
}
