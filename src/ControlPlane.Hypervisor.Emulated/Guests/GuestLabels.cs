namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>Labels of a VM that the emulated hypervisor heeds; README.md of this project says what each does.</summary>
public static class GuestLabels
{
    public const string Unplug = "emulator.unplug";
    public const string Boot = "emulator.boot";
    public const string DriverProbe = "emulator.driver-probe";
    public const string Shutdown = "emulator.shutdown";
    public const string PowerOffAfter = "emulator.power-off-after";
    public const string DirtyMiBPerSecond = "emulator.dirty-mib-per-second";
    public const string WorkingSetMiB = "emulator.working-set-mib";
    public const string Virtualization = "emulator.virtualization";
    public const string Hold = "emulator.hold";
    public const string Paging = "emulator.paging";
    public const string HugePages = "emulator.huge-pages";
    public const string Tlb = "emulator.tlb";
    public const string UsedMiB = "emulator.used-mib";
    public const string Nic = "emulator.nic";
    public const string Traffic = "emulator.traffic";
    public const string Offload = "emulator.offload";
    public const string Queues = "emulator.queues";
    public const string Promiscuous = "emulator.promiscuous";
    public const string OwnMac = "emulator.own-mac";
    public const string DiskIo = "emulator.disk-io";
    public const string Print = "emulator.print";
    public const string Mediated = "emulator.mediated";
    public const string FramebufferMiB = "emulator.framebuffer-mib";
    public const string Usb = "emulator.usb";
    public const string CrashTargetAt = "emulator.crash-target-at";
    public const string CrashSourceAt = "emulator.crash-source-at";
}
