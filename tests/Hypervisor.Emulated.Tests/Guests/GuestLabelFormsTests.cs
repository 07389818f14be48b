using System.Reflection;
using ControlPlane.Hypervisor.Emulated.Guests;

namespace ControlPlane.Hypervisor.Emulated.Tests.Guests;

public sealed class GuestLabelFormsTests
{
    public static TheoryData<string> All { get; } =
        [.. typeof(GuestLabels).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!)];

    /// <summary>A label that was added without a form would be refused altogether.</summary>
    [Theory]
    [MemberData(nameof(All))]
    public void Each_label_that_a_guest_heeds_says_what_it_must_be(string label)
    {
        var unreadable = Assert.Single(Check(label, ""));
        Assert.Equal(label, unreadable.Key);
        Assert.StartsWith("must be ", unreadable.Why, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("emulator.unplug", "late:5s")]
    [InlineData("emulator.unplug.gpu0", "refuse")]
    [InlineData("emulator.boot", "250ms")]
    [InlineData("emulator.driver-probe", "2m")]
    [InlineData("emulator.shutdown", "ignore")]
    [InlineData("emulator.shutdown", "slow:30s")]
    [InlineData("emulator.dirty-mib-per-second", "0.5")]
    [InlineData("emulator.dirty-mib-per-second", "0")]
    [InlineData("emulator.virtualization", "trap-and-emulate")]
    [InlineData("emulator.hold", "none")]
    [InlineData("emulator.huge-pages", "1GiB")]
    [InlineData("emulator.tlb", "tagged")]
    [InlineData("emulator.nic.net0", "self-virtualized")]
    [InlineData("emulator.traffic", "52:54:00:00:00:02@20x64000")]
    [InlineData("emulator.queues", "64")]
    [InlineData("emulator.own-mac", "52:54:00:00:00:02")]
    [InlineData("emulator.print", "5x20")]
    [InlineData("emulator.mediated.second", "A100D-10C")]
    [InlineData("emulator.usb", "0525:a4a0@200")]
    [InlineData("emulator.crash-source-at", "after-switch-over")]
    [InlineData("team", "emulator.nic")]
    public void What_a_guest_understands_may_be_said(string label, string text) => Assert.Empty(Check(label, text));

    [Theory]
    [InlineData("emulator.")]
    [InlineData("emulator.nic.")]
    [InlineData("emulator.boot.net0")]
    [InlineData("emulator.reset")]
    public void What_no_guest_heeds_is_told_with_what_they_do(string label)
    {
        var unreadable = Assert.Single(Check(label, "5s"));
        Assert.Contains("it heeds emulator.boot, emulator.crash-source-at, ", unreadable.Why, StringComparison.Ordinal);
    }

    private static IEnumerable<UnreadableLabel> Check(string label, string text) => GuestLabelForms.Check(new Dictionary<string, string> { [label] = text });
}
