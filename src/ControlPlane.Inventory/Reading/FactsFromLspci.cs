using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Lspci;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Reading;

/// <summary>Makes facts of what a dump shows: the bytes first; words where the bytes end. Where both speak and disagree, the bytes win.</summary>
internal static class FactsFromLspci
{
    public static FunctionFacts Make(LspciFunction function, WarningList warnings)
    {
        var space = ConfigurationSpace.Decode(function.Bytes);
        var hasHeader = space.Length >= ConfigurationSpace.HeaderLength;
        WarnOfBytes(function, space, warnings);
        var facts = new FunctionFacts(function.Address)
        {
            Space = space,
            Header = hasHeader ? space.Header : HeaderInWords(function),
            HasMultifunctionBit = space.IsMultifunction,
            ClassCode = hasHeader ? space.ClassCode : ((function.ClassCode ?? 0) << 8) | (function.ProgrammingInterface ?? 0),
            VendorId = Known(space.VendorId) ?? function.VendorId ?? 0xffff,
            DeviceId = Known(space.DeviceId) ?? function.DeviceId ?? 0xffff,
            Revision = hasHeader ? space.Revision : function.Revision ?? 0,
            SubsystemVendorId = Given(space.Subsystem.VendorId) ?? function.SubsystemVendorId ?? 0,
            SubsystemDeviceId = Given(space.Subsystem.VendorId) is null ? function.SubsystemDeviceId ?? 0 : space.Subsystem.DeviceId,
            ClassName = function.ClassName,
            Driver = function.Driver,
            NumaNode = function.NumaNode,
            ShownGroup = function.IommuGroup,
            Buses = space.Buses ?? function.Buses,
            Capabilities = Capabilities(function, space),
            KnowsCapabilities = space.KnowsCapabilities || function.ListsCapabilities,
            KnowsExtendedCapabilities = space.KnowsExtendedCapabilities || (space.Length <= ConfigurationSpace.ConventionalLength && function.ListsExtendedCapabilities),
        };
        WarnOfDifferences(function, facts, warnings);
        return facts;
    }

    private static DecodedCapabilities Capabilities(LspciFunction function, ConfigurationSpace space)
    {
        // What the bytes cover is theirs alone: a capability that only the words show there is no capability.
        var words = space.KnowsCapabilities ? DecodedCapabilities.None : function.Capabilities;
        var extendedWords = space.KnowsExtendedCapabilities ? DecodedCapabilities.None : function.Capabilities;
        return new DecodedCapabilities
        {
            PowerManagement = space.PowerManagement ?? words.PowerManagement,
            Msi = space.Msi ?? words.Msi,
            Msix = space.Msix ?? words.Msix,
            Express = space.Express ?? words.Express,
            AdvancedFeatures = space.AdvancedFeatures ?? words.AdvancedFeatures,
            Acs = space.Acs ?? extendedWords.Acs,
            Ari = space.Ari ?? extendedWords.Ari,
            Sriov = space.Sriov ?? extendedWords.Sriov,
        };
    }

    private static HeaderType HeaderInWords(LspciFunction function) => function switch
    {
        { Buses: not null } or { ClassCode: 0x0604 } => HeaderType.Bridge,
        { ClassCode: 0x0607 } => HeaderType.CardBus,
        { ClassName: "PCI bridge" } => HeaderType.Bridge,
        _ => HeaderType.Endpoint,
    };

    private static void WarnOfBytes(LspciFunction function, ConfigurationSpace space, WarningList warnings)
    {
        if (space.Length is not (0 or ConfigurationSpace.HeaderLength or 128 or ConfigurationSpace.ConventionalLength or ConfigurationSpace.ExtendedLength))
            warnings.Add(function.Line, $"has {space.Length} bytes of configuration space, not 64, 256 or 4096: the dump is incomplete", function.Address);
        foreach (var problem in space.Problems)
            warnings.Add(function.Line, problem, function.Address);
        if (space.Length >= ConfigurationSpace.HeaderLength && space.Header == HeaderType.Unknown)
            warnings.Add(function.Line, $"has header type {space.Byte(0x0e):x2}, which is not known: the device does not answer", function.Address);
    }

    private static void WarnOfDifferences(LspciFunction function, FunctionFacts facts, WarningList warnings)
    {
        Compare("vendor id", "x4", function.VendorId, Known(facts.Space.VendorId));
        Compare("device id", "x4", function.DeviceId, Known(facts.Space.DeviceId));
        if (facts.Space.Length < ConfigurationSpace.HeaderLength)
            return;
        Compare("class", "x4", function.ClassCode, facts.ClassCode >> 8);
        if (facts.Space.Buses is { } buses && function.Buses is { } words && buses != words)
            warnings.Add(function.Line, $"has buses {words.Secondary:x2} to {words.Subordinate:x2} in words and {buses.Secondary:x2} to {buses.Subordinate:x2} in bytes; the bytes count", function.Address);
        if (facts.Space.Express is { } express && function.Capabilities.Express is { } named && express.PortType != named.PortType)
            warnings.Add(function.Line, $"is a {named.PortType} in words and a {express.PortType} in bytes; the bytes count", function.Address);
        if (facts.Space.Acs is { } acs && function.Capabilities.Acs is { } acsWords && (acs.Capable, acs.Enabled) != (acsWords.Capable, acsWords.Enabled))
            warnings.Add(function.Line, "shows other Access Control Services in words than in bytes; the bytes count", function.Address);
        if (facts.Space.Sriov is { } sriov && function.Capabilities.Sriov is { } sriovWords && sriov.ToCapability() != sriovWords.ToCapability())
            warnings.Add(function.Line, $"shows other SR-IOV registers in words ({sriovWords.ToCapability()}) than in bytes ({sriov.ToCapability()}); the bytes count", function.Address);

        void Compare(string what, string format, int? inWords, int? inBytes)
        {
            if (inWords is { } words && inBytes is { } bytes && words != bytes)
                warnings.Add(function.Line, $"has {what} {words.ToString(format)} in words and {bytes.ToString(format)} in bytes; the bytes count", function.Address);
        }
    }

    private static ushort? Known(ushort id) => id is 0xffff ? null : id;

    private static ushort? Given(ushort id) => id is 0 or 0xffff ? null : id;
}
