using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Grouping;

/// <summary>
/// AMD's IOMMU is a PCI function itself. Which functions it translates stands in the ACPI table IVRS, which no dump shows; what the
/// firmware of these machines has in common is said here.
/// </summary>
internal static class AmdIommu
{
    private const int ClassIommu = 0x0806;
    private const int ClassHostBridge = 0x0600;

    /// <summary>Subclass 06 of base class 08; older chips were listed as 08:06 by AMD before the PCI-SIG did.</summary>
    public static bool Is(FunctionFacts function) => IsAmd(function.VendorId) && function.ClassCode >> 8 == ClassIommu;

    /// <summary>
    /// True for a function without a group. The driver never has the IOMMU translate itself (drivers/iommu/amd/init.c, init_iommu_one).
    /// The root complex function in the IOMMU's own device stands before the first one that IVRS lists (00:00.3 or 00:01.0).
    /// </summary>
    public static bool IsUntranslated(PciTree tree, int index)
    {
        var function = tree.Functions[index];
        if (Is(function))
            return true;
        return IsAmd(function.VendorId) && function.ClassCode >> 8 == ClassHostBridge && function.Address.Function == 0
            && tree.OnSameBus(index).Any(other => tree.Functions[other].Address.Device == function.Address.Device && Is(tree.Functions[other]));
    }

    /// <summary>AMD, and Hygon, whose processors are AMD designs.</summary>
    private static bool IsAmd(ushort vendor) => vendor is 0x1022 or 0x1d94;
}
