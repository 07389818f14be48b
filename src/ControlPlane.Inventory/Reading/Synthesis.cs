using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Reading;

/// <summary>Completes the bytes of functions of which the description has none, only the header, or a piece.</summary>
internal static class Synthesis
{
    /// <summary>True when the description's own bytes say all that a machine built from them needs.</summary>
    public static bool IsComplete(FunctionFacts function) =>
        function.Space.Length is ConfigurationSpace.ConventionalLength or ConfigurationSpace.ExtendedLength
        && (function.Space.KnowsExtendedCapabilities || function.Capabilities is { Sriov: null, Acs: null });

    public static byte[] Build(FunctionFacts function)
    {
        var virtualIds = function is { IsVirtual: true, PhysicalFunction: not null };
        var builder = new ConfigurationSpaceBuilder(
            virtualIds ? (ushort)0xffff : function.VendorId, virtualIds ? (ushort)0xffff : function.DeviceId, function.ClassCode, function.Revision,
            function.Header is HeaderType.Unknown ? HeaderType.Endpoint : function.Header, function.HasMultifunctionBit);
        if (function.Buses is { } buses)
            builder.Buses(buses);
        builder.Subsystem(function.SubsystemVendorId, function.SubsystemDeviceId);
        if (function.Capabilities.PowerManagement is { } power)
            builder.PowerManagement(power.NoSoftReset);
        if (function.Capabilities.Msi is { } msi)
            builder.Msi(msi.Vectors);
        if (function.Capabilities.Msix is { } msix)
            builder.Msix(msix.Vectors, msix.TableBar);
        if (function.Capabilities.Express is { } express)
            builder.Express(express);
        if (function.Capabilities.AdvancedFeatures is { } advanced)
            builder.AdvancedFeatures(advanced.FunctionLevelReset);
        if (function.Capabilities.Express is not null)
            AddExtended(builder, function);
        return WithKnownHeader(builder.Build(), function.Space.Bytes.Span);
    }

    private static void AddExtended(ConfigurationSpaceBuilder builder, FunctionFacts function)
    {
        if (function.Capabilities.Acs is { } acs)
            builder.Acs(acs.Capable, acs.Enabled);
        if (function.Capabilities.Ari is { } ari)
            builder.Ari(ari.NextFunction);
        if (function.Capabilities.Sriov is { } sriov)
            builder.Sriov(sriov);
    }

    /// <summary>The header as it was dumped, but for its pointer to capabilities that were not.</summary>
    private static byte[] WithKnownHeader(byte[] bytes, ReadOnlySpan<byte> known)
    {
        if (known.Length < ConfigurationSpace.HeaderLength)
            return bytes;
        var (pointer, status) = (bytes[0x34], (byte)(bytes[0x06] & 0x10));
        known[..ConfigurationSpace.HeaderLength].CopyTo(bytes);
        bytes[0x34] = pointer;
        bytes[0x06] = (byte)((bytes[0x06] & ~0x10) | status);
        return bytes;
    }
}
