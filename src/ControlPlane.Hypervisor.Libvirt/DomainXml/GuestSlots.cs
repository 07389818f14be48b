using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Libvirt.DomainXml;

/// <summary>
/// Where the guest sees what. Devices that come and go stand alone behind a root port each: port N is bus N, so a guest address
/// <c>0000:NN:00.0</c> is port N's. The ports fill the root bus from slot 1, eight to a slot; disks follow them on the root bus. Every place
/// depends only on its own number, so more ports or disks never move the others.
/// </summary>
internal static class GuestSlots
{
    private const int PerSlot = 8;
    private const int FirstPortSlot = 0x01;
    private const int FirstDiskSlot = 0x19;
    private const int PortsMin = 16;
    private const int Spare = 8;

    /// <summary>Slots 0x01 to 0x18.</summary>
    public const int PortsMax = 192;

    /// <summary>Slots 0x19 to 0x1e; in 0x1f sits the chip set.</summary>
    public const int DisksMax = 48;

    /// <summary>Enough for what the domain has and for some more to be plugged.</summary>
    public static int PortsFor(IEnumerable<PciAddress> guestAddresses)
    {
        var highest = guestAddresses.Select(a => a.Bus).DefaultIfEmpty(0).Max();
        var wanted = Math.Max(PortsMin, highest + Spare);
        return Math.Min(PortsMax, (wanted + PerSlot - 1) / PerSlot * PerSlot);
    }

    /// <param name="port">Counted from 1, as its bus is.</param>
    public static PciAddress OfPort(int port) => At(FirstPortSlot, port - 1);

    /// <param name="disk">Counted from 0, the root disk.</param>
    public static PciAddress OfDisk(int disk) => At(FirstDiskSlot, disk);

    /// <summary>Function 0 of a slot says that there are others.</summary>
    public static bool IsMultifunction(PciAddress address) => address.Function == 0;

    private static PciAddress At(int firstSlot, int number) => new(0, 0, firstSlot + (number / PerSlot), number % PerSlot);
}
