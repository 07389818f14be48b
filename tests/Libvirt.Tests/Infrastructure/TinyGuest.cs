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
    private const int MannerAt = 0x98;
    private const byte HearsPowerButton = 1;
    private const byte GivesDevicesBack = 2;
    private const byte WritesMemory = 4;
    private const byte TakesItsTime = 8;

    /// <summary>
    /// 16-bit code at 0x7c00, forever: (1) PM1a_EN, port 0x602, and PM1a_STS, port 0x600: bit 8 is the power button; answered with SLP_EN in PM1a_CNT, port 0x604. (2) QEMU's
    /// ACPI hot-plug registers of q35 (docs/specs/acpi_pci_hotplug): for each bus, selected at 0xcd0, the slots to be ejected at 0xcc4 are
    /// written to 0xcc8, with (8) only once 91 ticks of 55 ms have passed since the first one was asked for. (4) A number in each page from 64 KiB to 576 KiB is counted on;
    /// otherwise the processor halts until the next tick. The byte at <see cref="MannerAt"/> says which of these it does.
    /// <para>
    /// What writes memory then turns CR0.WP over, which means nothing to it, and empties the emulated TLB: TCG (to QEMU 8.2) tells a migration only of the first write to a
    /// page that its TLB holds. The numbers have 32 bits so that no page is ever all zeros again: such pages cost a migration nothing, and one that met them had
    /// two passes within one round of the guest, which then seemed to rest and went over.
    /// </para>
    /// </summary>
    private const string Code = """
        fa            ; 7c00 cli
        31c0          ; 7c01 xor ax,ax
        8ed8          ; 7c03 mov ds,ax
        8ed0          ; 7c05 mov ss,ax
        bc007c        ; 7c07 mov sp,7c00
        ; Again, for ever: the power button. PM1a_EN lets it be said, PM1a_STS says it in bit 8, and SLP_EN in PM1a_CNT turns the machine off.
        f606987c01    ; 7c0a test 7c98,0x1
        7417          ; 7c0f je 7c28
        ba0206        ; 7c11 mov dx,0x602
        b80001        ; 7c14 mov ax,0x100
        ef            ; 7c17 out dx,ax
        ba0006        ; 7c18 mov dx,0x600
        ed            ; 7c1b in ax,dx
        a90001        ; 7c1c test ax,0x100
        7407          ; 7c1f je 7c28
        ba0406        ; 7c21 mov dx,0x604
        b80020        ; 7c24 mov ax,0x2000
        ef            ; 7c27 out dx,ax
        ; Devices that are to be given back, in each bus.
        f606987c02    ; 7c28 test 7c98,0x2
        7437          ; 7c2d je 7c66
        6631c9        ; 7c2f xor ecx,ecx
        31f6          ; 7c32 xor si,si
        6689c8        ; 7c34 mov eax,ecx
        bad00c        ; 7c37 mov dx,0xcd0
        66ef          ; 7c3a out dx,eax
        bac40c        ; 7c3c mov dx,0xcc4
        66ed          ; 7c3f in eax,dx
        6685c0        ; 7c41 test eax,eax
        7412          ; 7c44 je 7c58
        46            ; 7c46 inc si
        f606987c08    ; 7c47 test 7c98,0x8
        7405          ; 7c4c je 7c53
        83ff5b        ; 7c4e cmp di,0x5b
        7205          ; 7c51 jb 7c58
        ; Given back.
        bac80c        ; 7c53 mov dx,0xcc8
        66ef          ; 7c56 out dx,eax
        ; The next bus; when none had any, the ticks count from zero.
        6641          ; 7c58 inc ecx
        6683f940      ; 7c5a cmp ecx,0x40
        72d4          ; 7c5e jb 7c34
        85f6          ; 7c60 test si,si
        7502          ; 7c62 jne 7c66
        31ff          ; 7c64 xor di,di
        ; A number in each page is counted on.
        f606987c04    ; 7c66 test 7c98,0x4
        7424          ; 7c6b je 7c91
        bb0010        ; 7c6d mov bx,0x1000
        8ec3          ; 7c70 mov es,bx
        2666ff060000  ; 7c72 inc dword es:0x0
        81c30001      ; 7c78 add bx,0x100
        81fb0090      ; 7c7c cmp bx,0x9000
        72ee          ; 7c80 jb 7c70
        ; CR0.WP is turned over.
        0f20c0        ; 7c82 mov eax,cr0
        663500000100  ; 7c85 xor eax,0x10000
        0f22c0        ; 7c8b mov cr0,eax
        e979ff        ; 7c8e jmp 7c0a
        ; A rest until the next tick.
        47            ; 7c91 inc di
        fb            ; 7c92 sti
        f4            ; 7c93 hlt
        fa            ; 7c94 cli
        e972ff        ; 7c95 jmp 7c0a
        """;

    public static string NameOf(GuestManner manner) => $"tiny-{manner.ToString().ToLowerInvariant()}";

    public static byte[] Image(GuestManner manner)
    {
        var image = new byte[ImageBytes];
        Convert.FromHexString(string.Concat(Code.Split('\n').Select(line => line.Split(';')[0].Trim()))).CopyTo(image, 0);
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
