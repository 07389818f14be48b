using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>One PCI function of an emulated host: its registers, its driver, and its place in the tree.</summary>
internal sealed class EmulatedFunction
{
    public const string VfioDriver = "vfio-pci";

    private readonly PciFunction described;

    public EmulatedFunction(PciFunction described, ConfigSpace config, EmulatedFunction? physicalFunction = null, int virtualIndex = 0)
    {
        this.described = described;
        Config = config;
        PhysicalFunction = physicalFunction;
        VirtualIndex = virtualIndex;
        IommuGroup = described.IommuGroup;
    }

    public PciAddress Address => described.Address;

    public ConfigSpace Config { get; }

    /// <summary>Null for a function that is not virtual.</summary>
    public EmulatedFunction? PhysicalFunction { get; }

    /// <summary>A virtual function's number at its physical one, from 0: the N of <c>ip link set PF vf N</c>.</summary>
    public int VirtualIndex { get; }

    public int? IommuGroup { get; }

    public bool IsBridge => described.IsBridge;

    public bool IsNetwork => described.ClassCode >> 16 == 0x02;

    public IReadOnlyList<ResetMethod> ResetMethods => described.Reset;

    public PciAddress? Parent => described.Parent;

    /// <summary>The driver bound now; <see cref="DriverCore"/> decides.</summary>
    public string? Driver { get; set; }

    /// <summary>The host's driver that knows the function's ids.</summary>
    public string? HostDriver => described.Driver;

    /// <summary>sysfs <c>driver_override</c>: while set, no other driver binds.</summary>
    public string? DriverOverride { get; set; }

    /// <summary>How often a driver of the host has had it since it appeared.</summary>
    public int HostBinds { get; set; }

    /// <summary>True while a VMM has the function open through VFIO.</summary>
    public bool HeldOpen { get; set; }

    /// <summary>Counts resets, so that whoever programmed the function sees that its settings are gone.</summary>
    public int Resets { get; private set; }

    public bool CanMaster => (Config.Read16(PciRegisters.Command) & PciRegisters.CommandBusMaster) != 0;

    /// <summary>The function as a scan shows it now.</summary>
    public PciFunction Facts(int virtualCount) => described with
    {
        Driver = Driver,
        Sriov = described.Sriov is { } sriov ? sriov with { VfCount = virtualCount } : null,
    };

    public SriovCapability? Sriov => described.Sriov;

    public PciFunction Described => described;

    public void SetBusMaster(bool on)
    {
        var command = Config.Read16(PciRegisters.Command);
        Config.Write(
            PciRegisters.Command, 2,
            on ? (uint)(command | PciRegisters.CommandBusMaster) : (uint)(command & ~PciRegisters.CommandBusMaster));
    }

    /// <summary>What a reset does inside the function, by whatever way it came.</summary>
    public void OnReset()
    {
        Config.Reset();
        Resets++;
    }
}
