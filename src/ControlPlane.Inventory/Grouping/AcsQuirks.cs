using ControlPlane.Inventory.Configuration;
using ControlPlane.Inventory.Topology;

namespace ControlPlane.Inventory.Grouping;

/// <summary>
/// Devices that keep their peers apart without saying so by the standard's capability, or say it at the wrong place: the table
/// <c>pci_dev_acs_enabled</c> of Linux's drivers/pci/quirks.c (6.18).
/// </summary>
internal static class AcsQuirks
{
    private const ushort Intel = 0x8086;

    /// <summary>What the kernel cannot see in configuration space and takes from elsewhere.</summary>
    /// <param name="HasAmdIommu">The ACPI table IVRS is there.</param>
    /// <param name="PchPeerDecodeOff">The kernel could switch peer decoding of an Intel PCH off: its LPC bridge shows where the registers are.</param>
    internal sealed record Platform(bool HasAmdIommu, bool PchPeerDecodeOff);

    // pci_quirk_mf_endpoint_acs: the vendor has verified that the functions do not reach each other.
    private static readonly Dictionary<ushort, HashSet<ushort>> IsolatedFunctions = new()
    {
        [0x1924] = [0x0903, 0x0923, 0x0a03], // Solarflare
        [Intel] =
        [
            0x10c6, 0x10db, 0x10dd, 0x10e1, 0x10f1, 0x10f7, 0x10f8, 0x10f9, 0x10fa, 0x10fb, 0x10fc, 0x1507, 0x1514, 0x151c, 0x1529, 0x152a,
            0x154d, 0x154f, 0x1551, 0x1558, // 82598, 82599
            0x1509, 0x150e, 0x150f, 0x1510, 0x1511, 0x1516, 0x1527, // 82580
            0x10c9, 0x10e6, 0x10e7, 0x10e8, 0x150a, 0x150d, 0x1518, 0x1526, // 82576
            0x10a7, 0x10a9, 0x10d6, // 82575
            0x1521, 0x1522, 0x1523, 0x1524, // I350
            0x105e, 0x105f, 0x1060, 0x10d9, // 82571
            0x15b7, 0x15b8, // I219
        ],
        [0x19a2] = [0x0710], // Emulex BE3-R
        [0x10df] = [0x0720], // Emulex Skyhawk-R
        [0x177d] = [0xa026, 0xa059, 0xa060], // Cavium
        [0x14e4] = [0x16d7, 0x1750, 0x1751, 0x1752, 0x1760, 0x1761, 0x1762, 0x1763], // Broadcom
        [0x1d17] = [0x3038, 0x3104, 0x9083], // Zhaoxin
    };

    // Root ports without the capability that let nothing pass between them, whatever type they claim (qcom_rp, xgene, brcm, loongson, nxp_rp).
    private static readonly Dictionary<ushort, HashSet<ushort>> IsolatedPorts = new()
    {
        [0x17cb] = [0x0400, 0x0401, 0x0115], // Qualcomm
        [0x1dbf] = [0x0401], // HXT
        [0x10e8] = [0xe004], // APM X-Gene
        [0x1def] = [0xe005, 0xe006, 0xe007, 0xe008, 0xe009, 0xe00a, 0xe00b, 0xe00c], // Ampere
        [0x14e4] = [0xd714], // Broadcom iProc
        [0x0014] = [0x3c09, 0x3c19, 0x3c29, 0x7a09, 0x7a19, 0x7a29, 0x7a39, 0x7a49, 0x7a59, 0x7a69], // Loongson
        [0x1957] =
        [
            0x8d80, 0x8d81, 0x8d82, 0x8d83, 0x8d88, 0x8d89, 0x8d8a, 0x8d8b, 0x8d90, 0x8d91, 0x8d92, 0x8d93, 0x8d98, 0x8d99, 0x8d9a, 0x8d9b,
            0x8da0, 0x8da1, 0x8da8, 0x8da9, 0x8db0, 0x8db1, 0x8db8, 0x8db9, // NXP
        ],
    };

    // pci_quirk_amd_sb_acs: southbridge functions of systems with an AMD IOMMU.
    private static readonly HashSet<(ushort Vendor, ushort Device)> AmdSouthbridge =
    [
        (0x1002, 0x4385), (0x1002, 0x439c), (0x1002, 0x4383), (0x1002, 0x439d), (0x1002, 0x4384), (0x1002, 0x4399), (0x1022, 0x780f), (0x1022, 0x7809),
    ];

    // pci_quirk_intel_pch_acs_ids: first and last device id of each run, and the step between.
    private static readonly (int First, int Last, int Step)[] IntelPchPorts =
    [
        (0x3b42, 0x3b51, 1), // Ibex Peak
        (0x1c10, 0x1c1f, 1), // Cougar Point
        (0x1e10, 0x1e1f, 1), // Panther Point
        (0x8c10, 0x8c1f, 1), // Lynx Point-H
        (0x9c10, 0x9c1b, 1), // Lynx Point-LP
        (0x9c90, 0x9c9b, 1), // Wildcat Point
        (0x1d10, 0x1d1e, 2), // Patsburg (X79)
        (0x8d10, 0x8d1e, 1), // Wellsburg (X99)
        (0x8c90, 0x8c9e, 2), // Lynx Point, 9 series
    ];

    // pci_quirk_intel_spt_pch_acs_match: the control register is two bytes further on than the standard says (erratum).
    private static readonly (int First, int Last)[] IntelSunrisePointPorts =
    [
        (0xa110, 0xa11f), (0xa167, 0xa16a), (0xa290, 0xa29f), (0xa2e7, 0xa2ee), (0x9d10, 0x9d1b),
    ];

    /// <summary>
    /// The kernel's <c>pci_dev_specific_acs_enabled</c>: whether the function gives all the wanted controls; null where no quirk applies
    /// and the standard's capability decides.
    /// </summary>
    public static bool? Enabled(FunctionFacts function, bool isMultifunction, bool isOnRootBus, AcsFlags wanted, Platform platform)
    {
        if (AmdSouthbridge.Contains((function.VendorId, function.DeviceId)))
            return AmdSouthbridgeEnabled(isMultifunction && isOnRootBus && platform.HasAmdIommu, wanted);
        if (Contains(IsolatedFunctions, function))
            return Gives(wanted, AcsFlags.Isolation | AcsFlags.TranslationBlocking | AcsFlags.DirectTranslated);
        if (Contains(IsolatedPorts, function))
            return Gives(wanted, AcsFlags.Isolation);
        return function.VendorId switch
        {
            Intel => IntelEnabled(function, wanted, platform),
            0x177d when function.PortType == ExpressPortType.RootPort && function.DeviceId is (>= 0xa000 and <= 0xa7ff) or 0xaf84 or 0xb884 =>
                Gives(wanted, AcsFlags.Isolation), // Cavium ThunderX
            0x1c36 when function.DeviceId == 0x0031 && function.PortType == ExpressPortType.RootPort => Gives(wanted, AcsFlags.Isolation), // Annapurna
            0x1d17 when function.PortType is ExpressPortType.RootPort or ExpressPortType.DownstreamPort =>
                function.DeviceId is (>= 0x0710 and <= 0x071e) or 0x0721 or (>= 0x0723 and <= 0x0752) && Gives(wanted, AcsFlags.Isolation), // Zhaoxin
            0x8088 => // Wangxun
                function.DeviceId is (>= 0x0100 and <= 0x010f) or 0x1001 or 0x2001 or 0x5010 or 0x5025 or 0x5040 or 0x5110 or 0x5125 or 0x5140
                && Gives(wanted, AcsFlags.Isolation),
            _ => null,
        };
    }

    private static bool? AmdSouthbridgeEnabled(bool applies, AcsFlags wanted)
    {
        // Source validation and upstream forwarding mean nothing between functions of one device.
        const AcsFlags relevant = AcsFlags.RequestRedirect | AcsFlags.CompletionRedirect | AcsFlags.EgressControl | AcsFlags.DirectTranslated;
        return applies ? Gives(wanted & relevant, AcsFlags.RequestRedirect | AcsFlags.CompletionRedirect) : null;
    }

    private static bool? IntelEnabled(FunctionFacts function, AcsFlags wanted, Platform platform)
    {
        // VT-d specification 3.16: integrated endpoints reach peers by translated addresses only.
        if (function.PortType == ExpressPortType.RootComplexEndpoint)
            return Gives(wanted, AcsFlags.Isolation);
        if (function.PortType != ExpressPortType.RootPort)
            return null;
        if (IntelPchPorts.Any(r => function.DeviceId >= r.First && function.DeviceId <= r.Last && (function.DeviceId - r.First) % r.Step == 0))
            return Gives(wanted, platform.PchPeerDecodeOff ? AcsFlags.Isolation : AcsFlags.None);
        if (!IntelSunrisePointPorts.Any(r => function.DeviceId >= r.First && function.DeviceId <= r.Last) || function.Capabilities.Acs is not { } acs)
            return null;
        return function.Space.DoubleWord(acs.Offset + 8) is { } control
            ? Gives(wanted & (acs.Capable | AcsFlags.EgressControl), (AcsFlags)(control & 0x7f))
            : null;
    }

    private static bool Contains(Dictionary<ushort, HashSet<ushort>> table, FunctionFacts function) =>
        table.TryGetValue(function.VendorId, out var devices) && devices.Contains(function.DeviceId);

    private static bool Gives(AcsFlags wanted, AcsFlags given) => (wanted & given) == wanted;
}
