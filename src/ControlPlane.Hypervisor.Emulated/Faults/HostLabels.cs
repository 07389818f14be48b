using System.Globalization;
using ControlPlane.Domain.Pci;

namespace ControlPlane.Hypervisor.Emulated.Faults;

/// <summary>Labels of a host that the emulated hypervisor heeds; README.md of this project says what each does.</summary>
public sealed class HostLabels(IReadOnlyDictionary<string, string> labels)
{
    public const string Reset = "emulator.reset";
    public const string ClearSettings = "emulator.clear-settings";
    public const string CreateVirtualFunctions = "emulator.create-virtual-functions";
    public const string CrashAt = "emulator.crash-at";
    public const string ReviveAfter = "emulator.revive-after";
    public const string LinkMiBPerSecond = "emulator.link-mib-per-second";
    public const string MigrationChannelCount = "emulator.migration-channels";
    public const string Wire = "emulator.wire";
    public const string PostedInterrupts = "emulator.posted-interrupts";
    public const string Hide = "emulator.hide";
    public const string ChassisName = "emulator.chassis";
    public const string MultiRoot = "emulator.multi-root";
    public const string Claim = "emulator.claim";
    public const string DriversAutoprobe = "emulator.sriov-drivers-autoprobe";

    public const string UsbDeviceIds = "emulator.usb-devices";
    public const string PrintSpool = "emulator.print-spool";

    public static readonly HostLabels None = new(new Dictionary<string, string>());

    /// <summary>True when the function does not come back from a reset.</summary>
    public bool ResetFails(PciAddress address) => Says(Reset, address, "fail");

    /// <summary>True when the physical function's driver says it cleared the settings, and did not.</summary>
    public bool ClearingFails(PciAddress address) => Says(ClearSettings, address, "fail");

    /// <summary>True when the physical function's firmware refuses to make virtual functions.</summary>
    public bool CreatingFails(PciAddress address) => Says(CreateVirtualFunctions, address, "fail");

    /// <summary>The moment at which the host dies, once: see <see cref="CrashPoint"/>.</summary>
    public CrashPoint? CrashesAt => ParseCrashPoint(labels.GetValueOrDefault(CrashAt));

    /// <summary>How long a host that died stays down; null: until it is revived by hand.</summary>
    public TimeSpan? RevivesAfter => Durations.Parse(labels.GetValueOrDefault(ReviveAfter));

    /// <summary>What a migration gets of the host's network; null: as the options say.</summary>
    public double? LinkBandwidth =>
        double.TryParse(labels.GetValueOrDefault(LinkMiBPerSecond), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number > 0
            ? number
            : null;

    /// <summary>Over how many connections a migration is spread, 1 to 64.</summary>
    public int MigrationChannels =>
        int.TryParse(labels.GetValueOrDefault(MigrationChannelCount), NumberStyles.None, CultureInfo.InvariantCulture, out var count) ? Math.Clamp(count, 1, 64) : 1;

    /// <summary>True when devices' interrupts go through the host instead of into the running guest.</summary>
    public bool PostsNoInterrupts => labels.GetValueOrDefault(PostedInterrupts) == "off";

    /// <summary>Functions that the host's own drivers shall not see from its next boot on; empty: none.</summary>
    public string HiddenFunctions => labels.GetValueOrDefault(Hide) ?? "";

    /// <summary>The chassis that the host is in; null: it stands alone.</summary>
    public string? Chassis => labels.GetValueOrDefault(ChassisName) is { Length: > 0 } name ? name : null;

    /// <summary>The functions that the host shares with its chassis, and the chassis's slots that they are.</summary>
    public IEnumerable<(PciAddress Address, string Slot)> SharedFunctions => labels
        .Where(l => l.Value.Length > 0 && l.Key.StartsWith($"{MultiRoot}.", StringComparison.Ordinal))
        .Select(l => (IsRead: PciAddress.TryParse(l.Key[(MultiRoot.Length + 1)..], out var address), Address: address, Slot: l.Value))
        .Where(l => l.IsRead).Select(l => (l.Address, l.Slot)).OrderBy(l => l.Address);

    /// <summary>True when the host shall have the function of the chassis's slot.</summary>
    public bool Claims(string slot) =>
        labels.GetValueOrDefault(Claim) is { } claimed && claimed.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).Contains(slot);

    /// <summary>False when new virtual functions of the physical one are offered to no driver.</summary>
    public bool ProbesVirtualFunctions(PciAddress physical) => !Says(DriversAutoprobe, physical, "off");

    /// <summary>What is plugged into the host's USB, as a list of <c>vendor:product</c>.</summary>
    public string? UsbDevices => labels.GetValueOrDefault(UsbDeviceIds);

    /// <summary>True when what guests print goes to the printer byte by byte.</summary>
    public bool PrintsWithoutSpool => labels.GetValueOrDefault(PrintSpool) == "off";

    /// <summary>The wire that a physical function is plugged into, where a label says so.</summary>
    public string? WireOf(PciAddress address) => labels.GetValueOrDefault($"{Wire}.{address}");

    internal static CrashPoint? ParseCrashPoint(string? text) => text switch
    {
        "start" => CrashPoint.Start,
        "prepare-incoming" => CrashPoint.PrepareIncoming,
        "copy" => CrashPoint.Copy,
        "switch-over" => CrashPoint.SwitchOver,
        "after-switch-over" => CrashPoint.AfterSwitchOver,
        _ => null,
    };

    private bool Says(string name, PciAddress address, string value) =>
        (labels.GetValueOrDefault($"{name}.{address}") ?? labels.GetValueOrDefault(name)) == value;
}

/// <summary>A moment at which a host can be made to die.</summary>
public enum CrashPoint
{
    /// <summary>A guest is being started.</summary>
    Start,

    /// <summary>The host is about to listen for a guest.</summary>
    PrepareIncoming,

    /// <summary>The first pass over a guest's memory is half done.</summary>
    Copy,

    /// <summary>The switch-over was asked for and nothing has moved.</summary>
    SwitchOver,

    /// <summary>The guest has moved, and the caller does not know it yet.</summary>
    AfterSwitchOver,
}
