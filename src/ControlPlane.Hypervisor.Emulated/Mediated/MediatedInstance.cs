using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Iommu;
using ControlPlane.Hypervisor.Emulated.Memory;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Hypervisor.Emulated.Mediated;

/// <summary>Which device an instance is cut from: what a host must remember to have it again.</summary>
/// <param name="Name">In its guest.</param>
/// <param name="Type">The id of its type.</param>
/// <param name="Parent">The physical function.</param>
internal sealed record MediatedPlacement(string Name, string Type, PciAddress Parent);

/// <summary>
/// A mediated device (Linux: mdev): an instance of a type on one physical function, with a routing id and a protection domain of its own. The guest's
/// VMM opens it like a PCI device; accesses to its control registers leave the guest, its doorbell and its framebuffer are mapped.
/// </summary>
internal sealed class MediatedInstance(Guid uuid, MediatedPlacement placement, MediatedType type, MediatedDma dma)
{
    private readonly ProtectionDomain memory = new(dma.Host);

    public Guid Uuid => uuid;

    public string Name => placement.Name;

    public MediatedPlacement Placement => placement;

    public MediatedType Type => type;

    public PciAddress Requester => dma.Requester;

    public ProtectionDomain Memory => memory;

    public MediatedCounters Counters { get; } = new();

    public MediatedDevice Device => field ??= new MediatedDevice(type, dma, Counters);

    /// <summary>The VMM opens it: its DMA reaches the guest's memory and nothing else.</summary>
    public void Open(long firstFrame, GuestMemory guest)
    {
        memory.Map(0, firstFrame, guest.Pages, writable: true);
        dma.Iommu.Attach(dma.Group, memory, [dma.Requester]);
    }

    /// <summary>Its DMA reaches nothing from now on, and nothing of its guest is left in the device.</summary>
    public void Close()
    {
        dma.Iommu.Detach(dma.Group);
        memory.Tables.Release();
        Device.Interrupt = null;
        Device.Reset();
    }

    /// <summary>The guest reads a control register: the VMM asks the parent's driver.</summary>
    public long ReadControl(ControlRegister register, ExitCounters exits)
    {
        Trap(exits);
        return Device.Read(register);
    }

    /// <summary>The guest writes a control register. False: not granted.</summary>
    public bool WriteControl(ControlRegister register, long value, ExitCounters exits)
    {
        Trap(exits);
        return Device.Write(register, value);
    }

    private void Trap(ExitCounters exits)
    {
        exits.Count(ExitReason.Mmio);
        Counters.ControlAccesses++;
    }
}
