using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Counting;
using ControlPlane.Hypervisor.Emulated.Devices;
using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Hosts;

/// <summary>What a host has for its guests' peripherals: its way to the storage of the fleet, a line printer, and the USB devices that are plugged in.</summary>
internal sealed class HostPeripherals : ICounting
{
    private readonly EmulatedHost host;
    private readonly SharedStorage storage;

    public HostPeripherals(EmulatedHost host, SharedStorage storage)
    {
        (this.host, this.storage) = (host, storage);
        Usb = new UsbBus(host.Id, host.Clock);
        Spool = new HostSpool(host.Clock, () => !host.Labels.PrintsWithoutSpool);
        host.Crashed += _ => Usb.Lose();
        PlugUsb();
    }

    public UsbBus Usb { get; }

    public SharedStorage Storage => storage;

    public StorageCounters Counters { get; } = new();

    public HostSpool Spool { get; }

    /// <summary>What the host's label says is plugged in; what it says no more is pulled out.</summary>
    public void PlugUsb() => Usb.SetDevices(UsbId.ParseList(host.Labels.UsbDevices));

    /// <summary>Makes the disks of a definition, and gives back those that the VM has no more; null: all are there.</summary>
    public Fault? Provide(DomainDefinition definition)
    {
        storage.Release(definition.Ref.Vm, except: definition.Disks);
        foreach (var spec in definition.Disks)
        {
            if (storage.Provide(definition.Ref.Vm, spec) is not { } disk)
                return Fault.Conflict("storage-full", $"The storage has no {spec.SizeGiB} GiB left for disk '{spec.Name}'.");
            if (disk.SizeGiB != spec.SizeGiB)
                return Fault.Conflict("disk-differs", $"Disk '{spec.Name}' has {disk.SizeGiB} GiB; a disk with data on it is not made anew with {spec.SizeGiB}.");
        }
        return null;
    }

    /// <summary>What the domain has while it is on. Disks of which the storage has none yet are made, the first from the VM's image.</summary>
    public GuestPeripherals Open(EmulatedDomain domain)
    {
        var paths = new List<StoragePath>();
        foreach (var spec in domain.Definition.Disks)
        {
            // A storage without room has refused the definition.
            if (storage.Provide(domain.Vm, spec) is not { } disk)
                continue;
            if (paths.Count == 0)
                disk.Install(SharedStorage.BootSectorOf(domain.Definition.Image));
            paths.Add(new StoragePath(disk, host.Id, Counters));
        }
        return new GuestPeripherals(domain, new GuestDisks(domain, paths, host.Clock), new GuestPrinting(domain, Spool),
            new GuestUsb(domain, Usb, id => FindUsb(id, domain.Vm), host.Clock));
    }

    public void CountInto(CounterSheet sheet)
    {
        Counters.CountInto(sheet);
        storage.CountInto(sheet);
        Spool.CountInto(sheet);
        Usb.CountInto(sheet);
    }

    /// <summary>A free device of the host's own comes before one that is plugged in elsewhere.</summary>
    private UsbExport? FindUsb(UsbId id, VmId guest) => Usb.TryExport(id, guest) ?? host.Fleet
        .Where(h => h != host && !h.IsDown).OrderBy(h => h.Id.Value).Select(h => h.Peripherals.Usb.TryExport(id, guest)).FirstOrDefault(e => e is not null);
}
