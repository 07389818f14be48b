using ControlPlane.Hypervisor.Emulated.Counting;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>What a guest has beside its processor, memory, NICs and functions, for as long as it is on.</summary>
internal sealed class GuestPeripherals(EmulatedDomain domain, GuestDisks disks, GuestPrinting printing, GuestUsb usb) : ICounting
{
    public GuestDisks Disks => disks;

    public GuestPrinting Printing => printing;

    public GuestUsb Usb => usb;

    /// <summary>The guest starts over.</summary>
    public void Boot()
    {
        printing.ConnectTo(domain.Machine!.Cpu);
        disks.Boot();
        usb.Boot();
    }

    /// <summary>The guest's CPUs run again.</summary>
    public void Resume()
    {
        disks.Resume();
        usb.Resume();
    }

    /// <summary>The guest goes on here.</summary>
    public void TakeOver(GuestPeripherals source)
    {
        disks.TakeOver(source.Disks);
        if (domain.Machine is not { } machine)
            return;
        printing.ConnectTo(machine.Cpu);
        printing.TakeOver(source.Printing);
        usb.TakeOver(source.Usb);
    }

    /// <summary>The guest ends here, or has gone elsewhere.</summary>
    public void Close()
    {
        disks.Close();
        printing.Close();
        usb.Close();
    }

    public void CountInto(CounterSheet sheet)
    {
        disks.CountInto(sheet);
        printing.CountInto(sheet);
        usb.CountInto(sheet);
    }
}
