using System.Globalization;
using ControlPlane.Domain.Networks;
using ControlPlane.Hypervisor.Emulated.Faults;

namespace ControlPlane.Hypervisor.Emulated.Guests;

/// <summary>What each label of a guest may say: a slip of the pen is told to whoever writes it, before there is a guest that behaves otherwise than was meant.</summary>
internal static class GuestLabelForms
{
    private const string Prefix = "emulator.";

    private static readonly Form Duration = new("a duration such as 500ms, 5s or 2m", text => Durations.Parse(text) is not null);
    private static readonly Form Amount = new("a number such as 200 or 0.5", text => Number(text) is not null);
    private static readonly Form Crash = new("copy, switch-over or after-switch-over", text => HostLabels.ParseCrashPoint(text) is CrashPoint.Copy or CrashPoint.SwitchOver or CrashPoint.AfterSwitchOver);

    private static readonly Dictionary<string, Form> Forms = new(StringComparer.Ordinal)
    {
        [GuestLabels.Unplug] = new("prompt, ignore, refuse, slow:5s or late:5s", text => UnplugHabit.Parse(text) is not null, IsForOneToo: true),
        [GuestLabels.Boot] = Duration,
        [GuestLabels.DriverProbe] = Duration,
        [GuestLabels.Shutdown] = new("ignore or slow:30s", text => text == "ignore" || (text.StartsWith("slow:", StringComparison.Ordinal) && Durations.Parse(text[5..]) is not null)),
        [GuestLabels.PowerOffAfter] = Duration,
        [GuestLabels.DirtyMiBPerSecond] = Amount,
        [GuestLabels.WorkingSetMiB] = Amount,
        [GuestLabels.Virtualization] = OneOf("hardware", "binary-translation", "paravirtual", "trap-and-emulate"),
        [GuestLabels.Hold] = OneOf("none"),
        [GuestLabels.Paging] = OneOf("ept", "shadow"),
        [GuestLabels.HugePages] = OneOf("none", "2MiB", "1GiB"),
        [GuestLabels.Tlb] = OneOf("tagged", "untagged"),
        [GuestLabels.UsedMiB] = Amount,
        [GuestLabels.Nic] = OneOf("virtio", "e1000", "xen", "vmdq", "self-virtualized") with { IsForOneToo = true },
        [GuestLabels.Traffic] = new("[MAC@]RATE[xBYTES], such as 100 or 52:54:00:00:00:02@20x1500", text => TrafficPattern.Parse(text) is not null),
        [GuestLabels.Offload] = OneOf("on", "off"),
        [GuestLabels.Queues] = Whole(1, 64),
        [GuestLabels.Promiscuous] = OneOf("on", "off"),
        [GuestLabels.OwnMac] = new("a MAC address", text => MacAddress.TryParse(text, out _)),
        [GuestLabels.DiskIo] = Whole(1, 100_000),
        [GuestLabels.Print] = new("JOBS[xLINES], such as 5 or 5x20", text => PrintPattern.Parse(text) is not null),
        [GuestLabels.Mediated] = new("the id or name of a type of mediated device, such as A100D-10C", text => text.Length > 0, IsForOneToo: true),
        [GuestLabels.FramebufferMiB] = Whole(1, 1 << 20),
        [GuestLabels.Usb] = new("VENDOR:PRODUCT[@RATE], such as 0525:a4a0", text => UsbWish.Parse(text) is not null),
        [GuestLabels.CrashTargetAt] = Crash,
        [GuestLabels.CrashSourceAt] = Crash,
    };

    /// <summary>Null when the text is no number, or none that can be used.</summary>
    public static double? Number(string? text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    public static IEnumerable<UnreadableLabel> Check(IReadOnlyDictionary<string, string> labels)
    {
        foreach (var (key, text) in labels.Where(l => l.Key.StartsWith(Prefix, StringComparison.Ordinal)).OrderBy(l => l.Key, StringComparer.Ordinal))
        {
            if (FormOf(key) is not { } form)
                yield return new UnreadableLabel(key, $"is not a label that the emulated hypervisor heeds on a VM; it heeds {string.Join(", ", Forms.Keys.Order(StringComparer.Ordinal))}.");
            else if (!form.Reads(text))
                yield return new UnreadableLabel(key, $"must be {form.Words}, not '{text}'.");
        }
    }

    private static Form? FormOf(string key)
    {
        if (Forms.TryGetValue(key, out var form))
            return form;
        // The rest names one device or interface.
        var end = key.IndexOf('.', Prefix.Length);
        return end > 0 && end < key.Length - 1 && Forms.TryGetValue(key[..end], out form) && form.IsForOneToo ? form : null;
    }

    private static Form OneOf(params string[] words) =>
        new(words.Length == 1 ? words[0] : $"{string.Join(", ", words[..^1])} or {words[^1]}", text => words.Contains(text, StringComparer.Ordinal));

    private static Form Whole(int least, int most) => new(
        string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}"),
        text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most);

    /// <param name="Words">What it must be, for people.</param>
    /// <param name="IsForOneToo">With a device's or an interface's name behind a further dot.</param>
    private sealed record Form(string Words, Func<string, bool> Reads, bool IsForOneToo = false);
}
