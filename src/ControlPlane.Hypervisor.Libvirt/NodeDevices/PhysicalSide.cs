using System.Globalization;
using System.Text.Json;
using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Hypervisor.Libvirt.Connections;

namespace ControlPlane.Hypervisor.Libvirt.NodeDevices;

/// <summary>
/// What a physical function allows a virtual one (<c>ip link set dev PF vf N</c>), written and read through a shell on the host. MAC and VLAN are
/// only cleared here: libvirt sets them when the guest's VMM opens the function, and not a moment earlier, or the NIC would already send
/// there what the guest still hears on its standby.
/// </summary>
internal sealed class PhysicalSide(HostShell shell)
{
    /// <summary>The physical function's interface as DEV and the virtual one's number as N; libvirt numbers none.</summary>
    private static string Find(PciAddress physical, PciAddress function) =>
        $"set -e; DEV=$(ls /sys/bus/pci/devices/{physical}/net | head -n 1); N=; "
        + $"for link in /sys/bus/pci/devices/{physical}/virtfn*; do case $(readlink \"$link\") in */{function}) N=${{link##*virtfn}} ;; esac; done; "
        + $"[ -n \"$DEV\" ] && [ -n \"$N\" ] || {{ echo \"{function} is no function of an interface of {physical}\" >&2; exit 1; }}; ";

    /// <summary>Trust, spoof check and rates; what they are already is not written, since not every driver can.</summary>
    public Fault? Write(PciAddress physical, PciAddress function, DeviceSettings settings)
    {
        if (!Read(physical, function).TryGet(out var present, out var fault))
            return fault;
        var words = Words(present, settings);
        return words.Length == 0 ? null : Refused(shell.Run($"{Find(physical, function)}ip link set dev \"$DEV\" vf \"$N\"{words}"), physical, words);
    }

    /// <summary>Takes away what the last owner had, and answers what is read after that.</summary>
    /// <param name="last">The last owner's settings. The MAC that libvirt puts back when it closes a function is the host's own.</param>
    public Outcome<DeviceSettings> Clear(PciAddress physical, PciAddress function, DeviceSettings last)
    {
        if (!Read(physical, function).TryGet(out var present, out var fault))
            return fault;
        var words = Words(present, DeviceSettings.None);
        if (present.Vlan is not null)
            words += " vlan 0";
        if (present.Mac is { } mac && mac == last.Mac)
            words += " mac 00:00:00:00:00:00";
        if (words.Length > 0 && Refused(shell.Run($"{Find(physical, function)}ip link set dev \"$DEV\" vf \"$N\"{words}"), physical, words) is { } refused)
            return refused;
        return (words.Length == 0 ? present : Read(physical, function)).Map(read => read.Mac == last.Mac ? read : read with { Mac = null });
    }

    /// <summary>sysfs's own reset, which tells of its failure; null: it worked.</summary>
    public string? Reset(PciAddress function) =>
        shell.Run($"R=/sys/bus/pci/devices/{function}/reset; [ -e $R ] || {{ echo 'the kernel knows no way to reset it (reset_method is empty)' >&2; exit 1; }}; echo 1 > $R").Fault?.Detail;

    /// <summary>Functions of a device that is no NIC have nothing of this: what nothing enforces is clean.</summary>
    private Outcome<DeviceSettings> Read(PciAddress physical, PciAddress function)
    {
        var told = shell.Run($"[ -d /sys/bus/pci/devices/{physical}/net ] || exit 0; {Find(physical, function)}echo \"$N\"; ip -json link show dev \"$DEV\"");
        if (!told.TryGet(out var text, out var fault))
            return fault;
        if (text.Length == 0)
            return DeviceSettings.None;
        return Parse(text) is { } settings ? settings : Fault.Impossible("settings-unreadable", $"'ip -json link show' on the host says nothing of virtual function {function}.");
    }

    /// <param name="text">The function's number, and after it what <c>ip -json link show</c> prints of the physical one.</param>
    internal static DeviceSettings? Parse(string text)
    {
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        if (end < 0 || !int.TryParse(text.AsSpan(0, end), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return null;
        try
        {
            using var document = JsonDocument.Parse(text[(end + 1)..]);
            foreach (var function in document.RootElement[0].GetProperty("vfinfo_list").EnumerateArray())
            {
                if (function.GetProperty("vf").GetInt32() == number)
                    return Settings(function);
            }
            return null;
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            return null;
        }
    }

    /// <summary>What a driver does not say (trust, spoof check) it does not offer: then it is as if nobody had asked for it.</summary>
    private static DeviceSettings Settings(JsonElement function)
    {
        var vlan = function.TryGetProperty("vlan_list", out var vlans) && vlans.EnumerateArray().FirstOrDefault() is { ValueKind: JsonValueKind.Object } first
            && first.TryGetProperty("vlan", out var id) ? id.GetInt32() : 0;
        var rate = function.TryGetProperty("rate", out var rates) ? rates : default;
        return new DeviceSettings(
            function.TryGetProperty("address", out var address) && MacAddress.TryParse(address.GetString(), out var mac) ? mac : null,
            vlan == 0 ? null : vlan, null, Is(function, "trust", false), Is(function, "spoofchk", true), Rate(rate, "min_tx"), Rate(rate, "max_tx"));
    }

    private static bool Is(JsonElement function, string name, bool otherwise) =>
        function.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : otherwise;

    private static int Rate(JsonElement rates, string name) =>
        rates.ValueKind == JsonValueKind.Object && rates.TryGetProperty(name, out var value) ? value.GetInt32() : 0;

    private static string Words(DeviceSettings present, DeviceSettings wanted) =>
        (present.Trust == wanted.Trust ? "" : $" trust {OnOff(wanted.Trust)}")
        + (present.SpoofCheck == wanted.SpoofCheck ? "" : $" spoofchk {OnOff(wanted.SpoofCheck)}")
        + (present.MinTxRateMbps == wanted.MinTxRateMbps && present.MaxTxRateMbps == wanted.MaxTxRateMbps
            ? "" : string.Create(CultureInfo.InvariantCulture, $" min_tx_rate {wanted.MinTxRateMbps} max_tx_rate {wanted.MaxTxRateMbps}"));

    private static Fault? Refused(Outcome<string> told, PciAddress physical, string words) =>
        told.Fault is { } fault ? fault with { Detail = $"The driver of {physical} did not take{words}: {fault.Detail}" } : null;

    private static string OnOff(bool on) => on ? "on" : "off";
}
