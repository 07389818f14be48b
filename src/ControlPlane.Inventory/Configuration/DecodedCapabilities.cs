namespace ControlPlane.Inventory.Configuration;

/// <summary>
/// What one function's capabilities say, from whichever source they were read. Null: the function has none, or the source does not show
/// it; whoever holds the record knows which of the two.
/// </summary>
public sealed record DecodedCapabilities
{
    public static readonly DecodedCapabilities None = new();

    public PowerManagementCapability? PowerManagement { get; init; }

    public MsiCapability? Msi { get; init; }

    public MsixCapability? Msix { get; init; }

    public ExpressCapability? Express { get; init; }

    public AdvancedFeaturesCapability? AdvancedFeatures { get; init; }

    public AcsCapability? Acs { get; init; }

    public AriCapability? Ari { get; init; }

    public SriovRegisters? Sriov { get; init; }
}
