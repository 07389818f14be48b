using System.Globalization;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>
/// Functions that a host's own drivers never see, from its boot on: by address, as Xen's <c>pciback.hide=</c> names them, or by
/// <c>vendor:device</c>, as <c>vfio-pci.ids=</c> does. The list is on the kernel's command line, so a new one counts from the next boot on.
/// </summary>
internal sealed class HiddenFunctions
{
    public static readonly HiddenFunctions None = new("");

    private readonly HashSet<PciAddress> addresses = [];
    private readonly HashSet<(ushort Vendor, ushort Device)> ids = [];

    /// <param name="text">Addresses and ids with commas or blanks between them; what is neither hides nothing.</param>
    public HiddenFunctions(string text)
    {
        Text = text;
        foreach (var item in text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries))
        {
            if (PciAddress.TryParse(item, out var address))
                addresses.Add(address);
            else if (IdsOf(item) is { } id)
                ids.Add(id);
        }
    }

    public string Text { get; }

    public bool Contains(EmulatedFunction function) =>
        addresses.Contains(function.Address) || ids.Contains((function.Described.VendorId, function.Described.DeviceId));

    private static (ushort Vendor, ushort Device)? IdsOf(string item) =>
        item.Split(':') is [{ Length: 4 } vendor, { Length: 4 } device]
        && ushort.TryParse(vendor, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var vendorId)
        && ushort.TryParse(device, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var deviceId)
            ? (vendorId, deviceId)
            : null;
}
