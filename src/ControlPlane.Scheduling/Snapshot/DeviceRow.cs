using ControlPlane.Domain;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Scheduling.Snapshot;

[Flags]
internal enum DeviceFlags : byte
{
    None = 0,
    Endpoint = 1,
    Assignable = 2,
    HostCritical = 4,
    Present = 8,

    /// <summary>Bound to a driver that is the host's own.</summary>
    HostDriver = 16,
    Virtual = 32,
    Physical = 64,
}

/// <summary>One PCI function of a host, as small as placement can use it: 10,000 hosts of 72 functions are under 50 MB.</summary>
internal struct DeviceRow
{
    public const int NoGroup = -1;
    public const short NoIndex = -1;
    public const short UnknownNode = -1;

    public PciAddress Address;

    /// <summary>Of a virtual function; otherwise its own address.</summary>
    public PciAddress PhysicalFunction;
    public Generation Generation;

    /// <summary>Meaningful while <see cref="IsOwned"/>.</summary>
    public VmId Owner;

    /// <summary>The host's number; <see cref="NoGroup"/> without an IOMMU.</summary>
    public int IommuGroup;

    /// <summary>Which pools it is in: <see cref="DeviceCatalog.PoolsOf"/>.</summary>
    public int PoolSet;

    /// <summary>Which model it is: <see cref="DeviceCatalog.AlikeAt"/>.</summary>
    public int Alike;

    /// <summary>Row of the physical function of a virtual one; <see cref="NoIndex"/> for others.</summary>
    public short PhysicalFunctionRow;

    /// <summary>Index into the table's groups; <see cref="NoIndex"/> without one.</summary>
    public short Group;

    /// <summary>As the firmware says; <see cref="UnknownNode"/> where it does not.</summary>
    public short NumaNode;
    public DeviceFlags Flags;
    private byte state;

    public DeviceState State
    {
        readonly get => (DeviceState)state;
        set => state = (byte)value;
    }

    public readonly bool IsEndpoint => (Flags & (DeviceFlags.Endpoint | DeviceFlags.Present)) == (DeviceFlags.Endpoint | DeviceFlags.Present);

    /// <summary>
    /// Counts against its IOMMU group: also a function that is switched off keeps others out while it is some VM's or critical, as the
    /// database will have it.
    /// </summary>
    public readonly bool BindsGroup => IsEndpoint || (Has(DeviceFlags.Endpoint) && (IsOwned || Has(DeviceFlags.HostCritical)));

    public readonly bool Has(DeviceFlags flag) => (Flags & flag) != DeviceFlags.None;

    /// <summary>Some VM has it, or has not been proven to be rid of it.</summary>
    public readonly bool IsOwned => State is DeviceState.Reserved or DeviceState.Attached or DeviceState.Draining or DeviceState.Cleaning;

    /// <summary>Taking its IOMMU group takes this one too. A function that the host holds without a driver on it just stays unused.</summary>
    public readonly bool IsClaimable => IsEndpoint && State == DeviceState.Free;

    public void Take(DeviceOwnership ownership)
    {
        State = ownership.State;
        Owner = ownership.Owner?.Vm ?? default;
        Generation = ownership.Generation;
    }
}
