using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Inventory;
using ControlPlane.Inventory.Reading;
using LibvirtSharp;

namespace ControlPlane.Hypervisor.Libvirt.NodeDevices;

/// <summary>
/// A host's hardware from its libvirt: PCI functions and the interfaces on them from the node devices, processors, memory and NUMA from the
/// capabilities. Read by the same reader that reads uploaded descriptions.
/// </summary>
internal static class InventoryReader
{
    public static Outcome<HostInventory> Read(VirConnect connection)
    {
        var texts = new List<string>();
        foreach (var device in connection.ListAllNodeDevices(VirConnectListAllNodeDeviceFlags.CapPciDev | VirConnectListAllNodeDeviceFlags.CapNet))
        {
            using (device)
            {
                // A virtual function may go between the list and the look.
                if (TryGetXml(device) is { } text)
                    texts.Add(text);
            }
        }
        return Read(texts, connection.GetCapabilities());
    }

    internal static Outcome<HostInventory> Read(IReadOnlyList<string> nodeDevices, string capabilities) =>
        HostDescriptionReader.Read(new InventoryTexts(null, NodeDevices: nodeDevices, Capabilities: capabilities)).Map(description => description.Inventory);

    private static string? TryGetXml(VirNodeDevice device)
    {
        try
        {
            return device.GetXml();
        }
        catch (LibvirtException e) when (e.Code is VirErrorNumber.NoNodeDevice)
        {
            return null;
        }
    }
}
