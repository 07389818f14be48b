namespace ControlPlane.Inventory.Configuration;

/// <summary>The configuration space of a virtual function, as its maker's describes it (PCIe base specification, 9.3.4).</summary>
public static class VirtualFunctionSpace
{
    /// <summary>
    /// Ids read as 0xffff and BARs as zero; class, revision and subsystem are the maker's. It can be reset by itself (9.3.5.2 asks for
    /// that), and raises MSI-X interrupts only.
    /// </summary>
    /// <param name="msixVectors">0: none.</param>
    /// <param name="atsQueueDepth">Null: no Address Translation Services.</param>
    public static byte[] Build(ConfigurationSpace physical, int msixVectors, int msixBar = 3, uint msixTable = 0, uint msixPending = 0x2000, int? atsQueueDepth = null)
    {
        var builder = new ConfigurationSpaceBuilder(0xffff, 0xffff, physical.ClassCode, physical.Revision)
            .Subsystem(physical.Subsystem.VendorId, physical.Subsystem.DeviceId);
        if (msixVectors > 0)
            builder.Msix(msixVectors, msixBar, msixTable, msixPending);
        var express = physical.Express;
        builder.Express(new ExpressCapability(
            0, 2, express?.PortType ?? ExpressPortType.Endpoint, false, FunctionLevelReset: true, express?.Link, false, false, 0, false, false));
        builder.AdvancedErrorReporting();
        if (physical.Ari is not null)
            builder.Ari(0);
        if (atsQueueDepth is { } depth)
            builder.Ats(depth);
        return builder.Build();
    }
}
