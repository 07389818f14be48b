namespace LibvirtSharp;

/// <summary>Getting node devices from a connection. Each one returned is the caller's to dispose.</summary>
public static unsafe class VirNodeDeviceLookup
{
    /// <summary>All node devices, or those with a capability that the flags name. Stands for <c>virConnectListAllNodeDevices</c>.</summary>
    public static IReadOnlyList<VirNodeDevice> ListAllNodeDevices(
        this VirConnect connection, VirConnectListAllNodeDeviceFlags flags = VirConnectListAllNodeDeviceFlags.None)
    {
        nint* devices;
        var count = Native.Check(NativeNodeDevice.virConnectListAllNodeDevices(connection.Handle, &devices, (uint)flags));
        return Native.TakeObjects(devices, count, device => new VirNodeDevice(connection, new VirNodeDeviceHandle(device)));
    }

    /// <summary>Stands for <c>virNodeDeviceLookupByName</c>.</summary>
    /// <exception cref="LibvirtException"><see cref="VirErrorNumber.NoNodeDevice"/> when there is none.</exception>
    public static VirNodeDevice LookupNodeDeviceByName(this VirConnect connection, string name) =>
        new(connection, Native.Check(NativeNodeDevice.virNodeDeviceLookupByName(connection.Handle, name)));

    /// <summary>The device of that name, or null when there is none. Stands for <c>virNodeDeviceLookupByName</c>.</summary>
    public static VirNodeDevice? FindNodeDeviceByName(this VirConnect connection, string name)
    {
        try
        {
            return connection.LookupNodeDeviceByName(name);
        }
        catch (LibvirtException e) when (e.Code == VirErrorNumber.NoNodeDevice)
        {
            return null;
        }
    }

    /// <summary>The PCI function of that address, or null when there is none.</summary>
    /// <param name="domain">Of <c>0000:04:10.2</c> the 0000, the PCI segment.</param>
    /// <param name="bus">Of <c>0000:04:10.2</c> the 04.</param>
    /// <param name="device">Of <c>0000:04:10.2</c> the 10.</param>
    /// <param name="function">Of <c>0000:04:10.2</c> the 2.</param>
    public static VirNodeDevice? FindPciDevice(this VirConnect connection, int domain, int bus, int device, int function) =>
        connection.FindNodeDeviceByName(NameOfPci(domain, bus, device, function));

    /// <summary>Makes a virtual device such as a mediated device. Stands for <c>virNodeDeviceCreateXML</c>.</summary>
    public static VirNodeDevice CreateNodeDevice(this VirConnect connection, string xml) =>
        new(connection, Native.Check(NativeNodeDevice.virNodeDeviceCreateXML(connection.Handle, xml, 0)));

    /// <summary>How libvirt names a PCI function: <c>pci_0000_04_10_2</c>.</summary>
    public static string NameOfPci(int domain, int bus, int device, int function) => $"pci_{domain:x4}_{bus:x2}_{device:x2}_{function:x}";
}
