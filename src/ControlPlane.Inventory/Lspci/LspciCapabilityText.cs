using System.Globalization;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Configuration;

namespace ControlPlane.Inventory.Lspci;

/// <summary>
/// Reads capabilities in words, for dumps whose bytes end before them (<c>-xxx</c> stops at 256) or that have no bytes. Only what
/// decides something is read; the rest of the many lines is passed over.
/// </summary>
internal sealed class LspciCapabilityText
{
    // The words of lspci's cap_express for the device/port type.
    private static readonly (string Words, ExpressPortType Type)[] PortTypes =
    [
        ("Endpoint", ExpressPortType.Endpoint),
        ("Legacy Endpoint", ExpressPortType.LegacyEndpoint),
        ("Root Port", ExpressPortType.RootPort),
        ("Upstream Port", ExpressPortType.UpstreamPort),
        ("Downstream Port", ExpressPortType.DownstreamPort),
        ("PCI-Express to PCI/PCI-X Bridge", ExpressPortType.PcieToPciBridge),
        ("PCI/PCI-X to PCI-Express Bridge", ExpressPortType.PciToPcieBridge),
        ("Root Complex Integrated Endpoint", ExpressPortType.RootComplexEndpoint),
        ("Root Complex Event Collector", ExpressPortType.RootComplexEventCollector),
    ];

    private static readonly (string Word, AcsFlags Flag)[] AcsWords =
    [
        ("SrcValid", AcsFlags.SourceValidation), ("TransBlk", AcsFlags.TranslationBlocking), ("ReqRedir", AcsFlags.RequestRedirect),
        ("CmpltRedir", AcsFlags.CompletionRedirect), ("UpstreamFwd", AcsFlags.UpstreamForwarding), ("EgressCtrl", AcsFlags.EgressControl),
        ("DirectTrans", AcsFlags.DirectTranslated),
    ];

    private bool listed;
    private PowerManagementCapability? power;
    private MsiCapability? msi;
    private MsixCapability? msix;
    private ExpressCapability? express;
    private AdvancedFeaturesCapability? advancedFeatures;
    private int? acsOffset;
    private AcsCapability? acs;
    private AriCapability? ari;
    private SriovRegisters? sriov;
    private Kind inside;

    private enum Kind
    {
        None,
        Other,
        Power,
        Express,
        AdvancedFeatures,
        Acs,
        Sriov,
    }

    /// <summary>True once a capability began: indented lines then belong to it.</summary>
    public bool Inside => inside != Kind.None;

    /// <summary>A line <c>Capabilities: [148 v1] Access Control Services</c>, after its first word.</summary>
    public void Begin(ReadOnlySpan<char> text)
    {
        inside = Kind.Other;
        var close = text.IndexOf(']');
        if (text.IsEmpty || text[0] != '[' || close < 0)
            return;
        listed = true;
        var where = text[1..close];
        var space = where.IndexOf(' ');
        var offset = LspciHeader.Hex(space < 0 ? where : where[..space]) ?? 0;
        BeginKind(text[(close + 1)..].Trim(), offset);
    }

    private void BeginKind(ReadOnlySpan<char> name, int offset)
    {
        if (name.StartsWith("Power Management", StringComparison.Ordinal))
            (inside, power) = (Kind.Power, new PowerManagementCapability(offset, NoSoftReset: true, State: 0));
        else if (LspciDetails.After(name, "MSI:", out var rest))
            msi = ParseMsi(rest, offset);
        else if (LspciDetails.After(name, "MSI-X:", out rest) && Value(rest, "Count=") is { } vectors)
            msix = new MsixCapability(offset, Math.Clamp(vectors, 1, 2048), Has(rest, "Enable+"), 0, 0, 0, 0);
        else if (LspciDetails.After(name, "Express ", out rest))
            (inside, express) = (Kind.Express, ParseExpress(rest, offset));
        else if (name.StartsWith("PCI Advanced Features", StringComparison.Ordinal))
            (inside, advancedFeatures) = (Kind.AdvancedFeatures, new AdvancedFeaturesCapability(offset, false, false));
        else if (name.StartsWith("Access Control Services", StringComparison.Ordinal))
            (inside, acsOffset) = (Kind.Acs, offset);
        else if (name.StartsWith("Alternative Routing-ID", StringComparison.Ordinal))
            ari = new AriCapability(offset, 0);
        else if (name.StartsWith("Single Root I/O Virtualization", StringComparison.Ordinal))
            (inside, sriov) = (Kind.Sriov, new SriovRegisters(offset, false, false, false, 0, 0, 0, 0, 0, 0, 0, 0, 0, new uint[6]));
    }

    public void Add(ReadOnlySpan<char> line)
    {
        switch (inside)
        {
            case Kind.Power when LspciDetails.After(line, "Status:", out var status):
                power = power! with { NoSoftReset = !Has(status, "NoSoftRst-"), State = status is ['D', >= '0' and <= '3', ..] ? status[1] - '0' : 0 };
                break;
            case Kind.Express:
                AddExpress(line);
                break;
            case Kind.AdvancedFeatures when line.StartsWith("AFCap:", StringComparison.Ordinal):
                advancedFeatures = new AdvancedFeaturesCapability(advancedFeatures!.Offset, Has(line, "TP+"), Has(line, "FLR+"));
                break;
            case Kind.Acs when line.StartsWith("ACSCap:", StringComparison.Ordinal):
                acs = new AcsCapability(acsOffset!.Value, ParseAcs(line), AcsFlags.None);
                break;
            case Kind.Acs when line.StartsWith("ACSCtl:", StringComparison.Ordinal) && acs is not null:
                acs = acs with { Enabled = ParseAcs(line) };
                break;
            case Kind.Sriov:
                AddSriov(line);
                break;
        }
    }

    public LspciFunction Apply(LspciFunction function) => function with
    {
        ListsCapabilities = listed,
        // One -v names the capability and shows none of its bits.
        ListsExtendedCapabilities = listed && (acsOffset is null || acs is not null),
        Capabilities = new DecodedCapabilities
        {
            PowerManagement = power,
            Msi = msi,
            Msix = msix,
            Express = express,
            AdvancedFeatures = advancedFeatures,
            Acs = acs,
            Ari = ari,
            Sriov = sriov,
        },
    };

    /// <summary><c>Enable- Count=1/32 Maskable+ 64bit+</c>: the second number is what the function offers.</summary>
    private static MsiCapability? ParseMsi(ReadOnlySpan<char> text, int offset)
    {
        var slash = text.IndexOf('/');
        return slash >= 0 && Leading(text[(slash + 1)..]) is { } vectors
            ? new MsiCapability(offset, Math.Clamp(vectors, 1, 32), Has(text, "Enable+"), Has(text, "64bit+"), Has(text, "Maskable+"))
            : null;
    }

    /// <summary><c>(v2) Root Port (Slot+), IntMsgNum 0</c>.</summary>
    private static ExpressCapability? ParseExpress(ReadOnlySpan<char> text, int offset)
    {
        var version = 1;
        if (text.StartsWith("(v", StringComparison.Ordinal) && text.IndexOf(')') is > 2 and var close)
        {
            version = Leading(text[2..]) ?? 1;
            text = text[(close + 1)..].Trim();
        }
        foreach (var (words, type) in PortTypes)
        {
            if (text.StartsWith(words, StringComparison.Ordinal))
                return new ExpressCapability(offset, version, type, Has(text, "Slot+"), false, null, false, false, 0, false, false);
        }
        return null;
    }

    private void AddExpress(ReadOnlySpan<char> line)
    {
        if (express is null)
            return;
        // The control register's line has the word too, but not RBE.
        if (Has(line, "FLReset+") && Has(line, "RBE"))
            express = express with { FunctionLevelReset = true };
        else if (line.StartsWith("LnkCap:", StringComparison.Ordinal))
            express = express with { Link = new PciLink(0, 0, Speed(line), Value(line, "Width x") ?? 0) };
        else if (line.StartsWith("LnkSta:", StringComparison.Ordinal) && express.Link is { } link)
            express = express with { Link = link with { SpeedGTs = Speed(line), Width = Value(line, "Width x") ?? 0 } };
        else if (line.StartsWith("SltCap:", StringComparison.Ordinal))
            express = express with { HotPlugCapable = Has(line, "HotPlug+") };
    }

    private void AddSriov(ReadOnlySpan<char> line)
    {
        var at = sriov!;
        if (line.StartsWith("IOVCtl:", StringComparison.Ordinal))
            sriov = at with { VfEnabled = Has(line, "Enable+"), VfMemoryEnabled = Has(line, "MSE+"), AriHierarchy = Has(line, "ARIHierarchy+") };
        else if (line.StartsWith("Initial VFs:", StringComparison.Ordinal))
        {
            sriov = at with
            {
                InitialVfs = Word(line, "Initial VFs:"),
                TotalVfs = Word(line, "Total VFs:"),
                VfCount = Word(line, "Number of VFs:"),
            };
        }
        else if (line.StartsWith("VF offset:", StringComparison.Ordinal))
        {
            var id = line.IndexOf("Device ID: ", StringComparison.Ordinal);
            var digits = id < 0 ? default : line[(id + "Device ID: ".Length)..];
            sriov = at with
            {
                FirstVfOffset = Word(line, "VF offset:"),
                VfStride = Word(line, "stride:"),
                VfDeviceId = (ushort)(digits.Length >= 4 ? LspciHeader.Hex(digits[..4]) ?? 0 : 0),
            };
        }
    }

    private static AcsFlags ParseAcs(ReadOnlySpan<char> line)
    {
        var flags = AcsFlags.None;
        foreach (var (word, flag) in AcsWords)
        {
            var at = line.IndexOf(word, StringComparison.Ordinal);
            if (at >= 0 && at + word.Length < line.Length && line[at + word.Length] == '+')
                flags |= flag;
        }
        return flags;
    }

    /// <summary><c>Speed 16GT/s</c>; 0 for an unknown one.</summary>
    private static double Speed(ReadOnlySpan<char> line)
    {
        var at = line.IndexOf("Speed ", StringComparison.Ordinal);
        if (at < 0)
            return 0;
        var rest = line[(at + "Speed ".Length)..];
        var end = rest.IndexOf("GT/s", StringComparison.Ordinal);
        return end > 0 && double.TryParse(rest[..end], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var speed) ? speed : 0;
    }

    private static bool Has(ReadOnlySpan<char> line, string word) => line.Contains(word, StringComparison.Ordinal);

    private static int Word(ReadOnlySpan<char> line, string name) => Math.Clamp(Value(line, name) ?? 0, 0, 0xffff);

    private static int? Value(ReadOnlySpan<char> line, string name)
    {
        var at = line.IndexOf(name, StringComparison.Ordinal);
        return at < 0 ? null : Leading(line[(at + name.Length)..].TrimStart());
    }

    private static int? Leading(ReadOnlySpan<char> text)
    {
        var end = text.IndexOfAnyExceptInRange('0', '9');
        return int.TryParse(end < 0 ? text : text[..end], NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : null;
    }
}
