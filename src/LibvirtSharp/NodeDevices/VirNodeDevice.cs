using System.Globalization;
using System.Xml.Linq;

namespace LibvirtSharp;

/// <summary>
/// A device of a hypervisor's host, such as a PCI function. Stands for C's <c>virNodeDevice</c>, and holds one reference to it until it is
/// disposed. Safe for several threads. Calls throw <see cref="LibvirtException"/>, with <see cref="VirErrorNumber.NoNodeDevice"/> when the
/// device is gone.
/// </summary>
public sealed unsafe class VirNodeDevice : IDisposable
{
    internal VirNodeDevice(VirConnect connection, VirNodeDeviceHandle handle)
    {
        (Connection, Handle) = (connection, handle);
        Name = NameOf(handle.DangerousGetHandle());
    }

    /// <summary>The connection it was got from.</summary>
    public VirConnect Connection { get; }

    /// <summary>libvirt's name, such as <c>pci_0000_04_10_0</c>.</summary>
    public string Name { get; }

    internal VirNodeDeviceHandle Handle { get; }

    /// <summary>The name of the device it hangs on; null for the root. Stands for <c>virNodeDeviceGetParent</c>.</summary>
    public string? GetParent()
    {
        var parent = NativeNodeDevice.virNodeDeviceGetParent(Handle);
        return parent == 0 ? null : Native.BorrowText(parent);
    }

    /// <summary>The description: IOMMU group, NUMA node, driver, link to PF or VFs, PCIe link... Stands for <c>virNodeDeviceGetXMLDesc</c>.</summary>
    public string GetXml() => Native.TakeText(NativeNodeDevice.virNodeDeviceGetXMLDesc(Handle, 0));

    /// <summary>The capabilities' names, such as <c>pci</c> and <c>net</c>. Stands for <c>virNodeDeviceListCaps</c>.</summary>
    public IReadOnlyList<string> ListCapabilities()
    {
        var count = Native.Check(NativeNodeDevice.virNodeDeviceNumOfCaps(Handle));
        var names = stackalloc nint[count];
        count = Native.Check(NativeNodeDevice.virNodeDeviceListCaps(Handle, names, count));
        return Native.CopyTexts(names, count);
    }

    /// <summary>
    /// Takes the function away from its host driver and binds it to one that passes it through. Does nothing when it is bound so already.
    /// Stands for <c>virNodeDeviceDetachFlags</c>.
    /// </summary>
    /// <param name="driverName">Such as <c>vfio</c>; null for the hypervisor's default.</param>
    /// <exception cref="LibvirtException">A domain uses it, or it is not a PCI function that can be assigned.</exception>
    public void Detach(string? driverName = null) => Native.Check(NativeNodeDevice.virNodeDeviceDetachFlags(Handle, driverName, 0));

    /// <summary>Gives the function back to its host driver. Stands for <c>virNodeDeviceReAttach</c>.</summary>
    /// <exception cref="LibvirtException">A domain uses it, or another function of its IOMMU group.</exception>
    public void Reattach() => Native.Check(NativeNodeDevice.virNodeDeviceReAttach(Handle));

    /// <summary>Resets the function. Stands for <c>virNodeDeviceReset</c>.</summary>
    /// <exception cref="LibvirtException">A domain uses it, or it has no reset that touches nothing else.</exception>
    public void Reset() => Native.Check(NativeNodeDevice.virNodeDeviceReset(Handle));

    /// <summary>Removes a virtual device such as a mediated device. Stands for <c>virNodeDeviceDestroy</c>.</summary>
    public void Destroy() => Native.Check(NativeNodeDevice.virNodeDeviceDestroy(Handle));

    /// <summary>
    /// The names of a physical function's virtual functions, in their order; empty when it has none or is not one. Read from the
    /// description.
    /// </summary>
    public IReadOnlyList<string> ListVirtualFunctionNames() =>
    [
        .. XElement.Parse(GetXml()).Elements("capability").Where(pci => (string?)pci.Attribute("type") == "pci")
            .Elements("capability").Where(functions => (string?)functions.Attribute("type") == "virt_functions")
            .Elements("address").Select(address => VirNodeDeviceLookup.NameOfPci(
                Part(address, "domain"), Part(address, "bus"), Part(address, "slot"), Part(address, "function"))),
    ];

    /// <summary>Gives up the reference. Stands for <c>virNodeDeviceFree</c>; does nothing to the device.</summary>
    public void Dispose() => Handle.Dispose();

    public override string ToString() => Name;

    internal static string NameOf(nint device) => Native.BorrowText(NativeNodeDevicePointer.virNodeDeviceGetName(device));

    /// <summary>Written with <c>0x</c>.</summary>
    private static int Part(XElement address, string name) =>
        int.Parse(((string)address.Attribute(name)!).AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
