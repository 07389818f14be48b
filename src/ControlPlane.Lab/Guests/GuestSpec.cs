using System.Xml.Linq;

namespace ControlPlane.Lab.Guests;

/// <summary>What a guest of the rig is to be; <see cref="ToXml"/> writes it as libvirt wants it.</summary>
/// <param name="Name">The domain's name, and the name of its console's log.</param>
public sealed record GuestSpec(string Name)
{
    public int MemoryMiB { get; init; } = 192;

    /// <summary>How much memory the guest overwrites per second; 0: none.</summary>
    public int DirtyMiBPerSecond { get; init; }

    /// <summary>How much memory it overwrites in turn; at most about half of <see cref="MemoryMiB"/>.</summary>
    public int DirtySpanMiB { get; init; } = 64;

    /// <summary>Whether the guest sees the ACPI power button and goes on as if it had not.</summary>
    public bool IgnoresPowerButton { get; init; }

    /// <summary>The guest's number in the guests' network, which spans both hosts: 192.0.2.N. 0: no interface. The hosts are 1 and 2.</summary>
    public byte AddressNumber { get; init; }

    /// <summary>The guest's own address; null without an interface.</summary>
    public string? Address => AddressNumber == 0 ? null : $"192.0.2.{AddressNumber}";

    /// <summary>Root ports left free for devices that are plugged in later.</summary>
    public int FreeRootPorts { get; init; } = 4;

    /// <summary>The domain, with its console both as a terminal (<c>virsh console</c>) and in a log below the host's directory.</summary>
    public string ToXml(GuestImage image) => new XElement("domain", new XAttribute("type", "qemu"),
        new XElement("name", Name),
        new XElement("memory", new XAttribute("unit", "MiB"), MemoryMiB),
        new XElement("vcpu", 1),
        new XElement("os",
            new XElement("type", new XAttribute("arch", "x86_64"), new XAttribute("machine", "q35"), "hvm"),
            new XElement("kernel", image.Kernel),
            new XElement("initrd", image.Initrd),
            new XElement("cmdline", CommandLine)),
        new XElement("features", new XElement("acpi")),
        new XElement("cpu", new XAttribute("mode", "custom"), new XAttribute("match", "exact"), new XAttribute("check", "none"), new XElement("model", "qemu64")),
        // Without the HPET Linux does not calibrate against it, which takes long without KVM.
        new XElement("clock", new XAttribute("offset", "utc"), new XElement("timer", new XAttribute("name", "hpet"), new XAttribute("present", "no"))),
        new XElement("on_poweroff", "destroy"),
        new XElement("on_reboot", "restart"),
        new XElement("on_crash", "destroy"),
        new XElement("devices",
            new XElement("emulator", "/usr/bin/qemu-system-x86_64"),
            new XElement("controller", new XAttribute("type", "usb"), new XAttribute("model", "none")),
            new XElement("controller", new XAttribute("type", "pci"), new XAttribute("model", "pcie-root")),
            Enumerable.Range(0, FreeRootPorts + (AddressNumber == 0 ? 0 : 1)).Select(_ =>
                new XElement("controller", new XAttribute("type", "pci"), new XAttribute("model", "pcie-root-port"))),
            AddressNumber == 0 ? null : InterfaceXml(AddressNumber),
            new XElement("serial", new XAttribute("type", "pty"),
                new XElement("log", new XAttribute("file", $"/var/log/libvirt/{Name}.console"), new XAttribute("append", "on")),
                new XElement("target", new XAttribute("port", 0))),
            new XElement("memballoon", new XAttribute("model", "none")))).ToString();

    /// <summary>An interface in the guests' network; also for one that is plugged in later.</summary>
    /// <param name="number">Makes its MAC.</param>
    public static XElement InterfaceXml(byte number) => new("interface", new XAttribute("type", "bridge"),
        new XElement("mac", new XAttribute("address", $"52:54:00:c0:02:{number:x2}")),
        new XElement("source", new XAttribute("bridge", "guests")),
        new XElement("model", new XAttribute("type", "virtio")));

    private string CommandLine => string.Join(' ', new[]
    {
        GuestImage.CommandLine,
        Address is { } address ? $"guest.address={address}/24" : null,
        DirtyMiBPerSecond > 0 ? $"guest.dirty={DirtyMiBPerSecond} guest.span={DirtySpanMiB}" : null,
        IgnoresPowerButton ? "guest.power=ignore" : null,
    }.OfType<string>());
}
