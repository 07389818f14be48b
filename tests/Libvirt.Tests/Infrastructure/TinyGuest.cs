using ControlPlane.Hypervisor.Specification;

namespace ControlPlane.Libvirt.Tests.Infrastructure;

/// <summary>
/// A guest in one boot sector: it hears the power button and gives devices back when asked, or does not, or writes memory without end. It does by
/// hand what an operating system's ACPI driver does, so that a test boots in a second without a kernel.
/// </summary>
internal static class TinyGuest
{
    /// <summary>The firmware boots only a disk that has at least one cylinder.</summary>
    private const int ImageBytes = 1 << 20;
    private const int MannerAt = 0x89;
    private const byte HearsPowerButton = 1;
    private const byte GivesDevicesBack = 2;
    private const byte WritesMemory = 4;
    private const byte TakesItsTime = 8;

    /// <summary>
    /// 16-bit code at 0x7c00, forever: (1) PM1a_EN, port 0x602, and PM1a_STS, port 0x600: bit 8 is the power button; answered with SLP_EN in PM1a_CNT, port 0x604. (2) QEMU's
    /// ACPI hot-plug registers of q35 (docs/specs/acpi_pci_hotplug): for each bus, selected at 0xcd0, the slots to be ejected at 0xcc4 are
    /// written to 0xcc8, with (8) only once 91 ticks of 55 ms have passed since the first one was asked for. (4) One byte of each page from 64 KiB to 576 KiB is changed; otherwise the processor halts until the next tick. The byte at
    /// <see cref="MannerAt"/> says which of these it does. What writes memory then turns CR0.WP over, which means nothing to it, and empties the emulated TLB:
    /// TCG (to QEMU 8.2) tells a migration only of the first write to a page that its TLB holds.
    /// </summary>
    private const string Code = "fa31c08ed88ed0bc007cf606897c017417ba0206b80001efba0006eda900017407ba0406b80020eff606897c0274376631c931f66689c8bad00c66efbac40c66ed6685c0741246f606897c08740583ff5b7205bac80c66ef66416683f94072d485f6750231fff606897c047416bb00108ec326fe06000081c3000181fb009072efeb0747fbf4faeb81070f20c06635000001000f22c0e971ff";

    public static string NameOf(GuestManner manner) => $"tiny-{manner.ToString().ToLowerInvariant()}";

    public static byte[] Image(GuestManner manner)
    {
        var image = new byte[ImageBytes];
        var code = Convert.FromHexString(Code);
        code.CopyTo(image, 0);
        image[MannerAt] = manner switch
        {
            GuestManner.IgnoresUnplug or GuestManner.RefusesUnplug => HearsPowerButton,
            GuestManner.SlowToUnplug => HearsPowerButton | GivesDevicesBack | TakesItsTime,
            GuestManner.IgnoresShutdown => GivesDevicesBack,
            GuestManner.DirtiesFast => HearsPowerButton | GivesDevicesBack | WritesMemory,
            _ => HearsPowerButton | GivesDevicesBack,
        };
        (image[510], image[511]) = (0x55, 0xaa);
        return image;
    }
}
