using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Hypervisor.Emulated.Pci;

/// <summary>Where the capabilities that the model acts upon lie in a configuration space; 0: absent.</summary>
internal sealed record CapabilityMap(int PowerManagement, int Msi, int Msix, int Express, int AdvancedFeatures, int Sriov, int Ats)
{
    public static CapabilityMap Of(ReadOnlyMemory<byte> image)
    {
        var space = ConfigurationSpace.Decode(image);
        return new CapabilityMap(
            space.PowerManagement?.Offset ?? 0, space.Msi?.Offset ?? 0, space.Msix?.Offset ?? 0, space.Express?.Offset ?? 0,
            space.AdvancedFeatures?.Offset ?? 0, space.Sriov?.Offset ?? 0, space.Ats?.Offset ?? 0);
    }
}
