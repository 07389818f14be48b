using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Grouping;

/// <summary>
/// The ways in which the kernel can reset a function, in the order in which it tries them: drivers/pci/pci.c, pci_init_reset_methods, and
/// the quirks about it. It probes when it adds the function, so <c>bus</c> is offered to the first function that it finds on a bus.
/// ACPI's method (<c>_RST</c>) is not to be seen in configuration space.
/// </summary>
internal static class ResetMethods
{
    // pci_dev_reset_methods: device-specific ones that are always there, and those that only wrap a function level reset.
    private static readonly HashSet<(ushort Vendor, ushort Device)> Specific = [(0x8086, 0x10ed), (0x8086, 0x0156), (0x8086, 0x0166), (0x19e5, 0x375e)];

    private static readonly HashSet<(ushort Vendor, ushort Device)> SpecificByFlr =
        [(0x144d, 0xa804), (0x8086, 0x0953), (0x8086, 0x0a54), (0x025e, 0xf1ac)];

    // quirk_no_flr: the function hangs after it.
    private static readonly HashSet<(ushort Vendor, ushort Device)> NoFlr =
        [(0x1022, 0x1487), (0x1022, 0x148c), (0x1022, 0x149c), (0x1022, 0x7901), (0x8086, 0x1502), (0x8086, 0x1503), (0x14c3, 0x0616)];

    // quirk_no_bus_reset: never comes back.
    private static readonly HashSet<(ushort Vendor, ushort Device)> NoBusReset =
    [
        (0x168c, 0x0030), (0x168c, 0x0032), (0x168c, 0x003c), (0x168c, 0x0033), (0x168c, 0x0034), (0x168c, 0x003e), (0x177d, 0xa100), (0x104c, 0xb005),
    ];

    // quirk_no_pm_reset: claims that D3hot resets, and it does not.
    private static readonly HashSet<(ushort Vendor, ushort Device)> NoPowerReset =
        [(0x15b3, 0xcb84), (0x15b3, 0xcf6c), (0x15b3, 0xcf70), (0x15b3, 0xcf80)];

    public static IReadOnlyList<ResetMethod>[] Compute(PciTree tree)
    {
        var methods = new IReadOnlyList<ResetMethod>[tree.Functions.Count];
        var busesWithFunctions = new HashSet<(int Domain, int Bus)>();
        foreach (var index in tree.ScanOrder)
        {
            var address = tree.Functions[index].Address;
            var first = busesWithFunctions.Add((address.Domain, address.Bus));
            methods[index] = Of(tree, index, first);
        }
        return methods;
    }

    private static List<ResetMethod> Of(PciTree tree, int index, bool firstOnBus)
    {
        var function = tree.Functions[index];
        var id = (function.VendorId, function.DeviceId);
        var methods = new List<ResetMethod>();
        var flrWorks = !NoFlr.Contains(id);
        // Functions of SR-IOV must have it (PCIe base specification, 9.3.3.2 and 9.3.5.2): it needs no bit that is seen.
        var flr = flrWorks && (function.Capabilities.Express is { FunctionLevelReset: true }
            || (!function.KnowsCapabilities && (function.IsVirtual || function.Capabilities.Sriov is not null)));
        if (Specific.Contains(id) || (SpecificByFlr.Contains(id) && flr) || (function.VendorId == 0x1425 && (function.DeviceId & 0xf000) == 0x4000))
            methods.Add(ResetMethod.DeviceSpecific);
        if (flr)
            methods.Add(ResetMethod.Flr);
        if (flrWorks && function.Capabilities.AdvancedFeatures is { TransactionsPending: true, FunctionLevelReset: true })
            methods.Add(ResetMethod.AfFlr);
        if (function.Capabilities.PowerManagement is { NoSoftReset: false } && !IgnoresPowerReset(tree, index))
            methods.Add(ResetMethod.Pm);
        if (CanResetBus(tree, index, firstOnBus))
            methods.Add(ResetMethod.Bus);
        return methods;
    }

    private static bool IgnoresPowerReset(PciTree tree, int index)
    {
        var function = tree.Functions[index];
        return !tree.IsOnRootBus(index)
            && (NoPowerReset.Contains((function.VendorId, function.DeviceId)) || (function.VendorId == 0x1002 && function.ClassCode >> 8 == 0x0300));
    }

    /// <summary>pci_reset_bus_function: the slot of a hot-plug port, or the bus below a bridge as long as nothing else was found on it.</summary>
    private static bool CanResetBus(PciTree tree, int index, bool firstOnBus)
    {
        var function = tree.Functions[index];
        if (tree.IsOnRootBus(index) || tree.IsOnVirtualBus(index) || NoBusReset.Contains((function.VendorId, function.DeviceId)))
            return false;
        // quirk_nvidia_no_bus_reset: boards without a slot of their own.
        if (function.VendorId == 0x10de && (function.DeviceId & 0xffc0) == 0x2340)
            return false;
        // A virtual function comes late: by then pciehp knows the slot, whose device is number 0.
        var bridge = tree.Functions[tree.Parent(index)];
        return firstOnBus || (function.IsVirtual && function.Address.Device == 0 && bridge.Capabilities.Express is { SlotImplemented: true, HotPlugCapable: true });
    }
}
