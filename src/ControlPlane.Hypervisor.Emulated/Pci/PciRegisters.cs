namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>Offsets and bits of configuration space that the model acts upon (PCIe base specification 7.5 and 9.3.3, Linux's pci_regs.h).</summary>
internal static class PciRegisters
{
    public const int VendorId = 0x00;
    public const int DeviceId = 0x02;
    public const int Command = 0x04;
    public const int Status = 0x06;
    public const int HeaderType = 0x0e;
    public const int Bar0 = 0x10;
    public const int PrimaryBus = 0x18;
    public const int SecondaryBus = 0x19;
    public const int SubordinateBus = 0x1a;
    public const int CapabilityPointer = 0x34;
    public const int InterruptLine = 0x3c;
    public const int BridgeControl = 0x3e;
    public const int ExtendedCapabilities = 0x100;

    /// <summary>I/O, memory, bus master, parity, SERR, INTx disable: what a driver may change.</summary>
    public const ushort CommandWritable = 0x0547;
    public const ushort CommandBusMaster = 0x0004;

    /// <summary>Error bits of the status register: writing one clears it.</summary>
    public const ushort StatusWriteOneToClear = 0xf900;
    public const ushort StatusCapabilities = 0x0010;
    public const ushort BridgeControlBusReset = 0x0040;

    public const byte CapPowerManagement = 0x01;
    public const byte CapMsi = 0x05;
    public const byte CapExpress = 0x10;
    public const byte CapMsix = 0x11;
    public const byte CapAdvancedFeatures = 0x13;
    public const ushort ExtCapSriov = 0x0010;

    public const int PmControl = 4;
    public const ushort PmStateMask = 0x0003;
    public const ushort PmNoSoftReset = 0x0008;

    public const int MsiControl = 2;
    public const ushort MsiEnable = 0x0001;
    public const int MsixControl = 2;
    public const ushort MsixEnableAndMask = 0xc000;

    public const int ExpressDeviceCapabilities = 4;
    public const uint ExpressFlrCapable = 0x1000_0000;
    public const int ExpressDeviceControl = 8;
    public const ushort ExpressInitiateFlr = 0x8000;

    public const int AfCapabilities = 3;
    public const byte AfFlrCapable = 0x02;
    public const int AfControl = 4;

    public const int AtsControl = 6;
    public const ushort AtsEnable = 0x8000;

    public const int SriovControl = 0x08;
    public const ushort SriovVfEnable = 0x0001;
    public const ushort SriovMemoryEnable = 0x0008;
    public const ushort SriovControlWritable = 0x001f;
    public const int SriovInitialVfs = 0x0c;
    public const int SriovTotalVfs = 0x0e;
    public const int SriovNumVfs = 0x10;
    public const int SriovFirstVfOffset = 0x14;
    public const int SriovVfStride = 0x16;
    public const int SriovVfDeviceId = 0x1a;
    public const int SriovBar0 = 0x24;
}
