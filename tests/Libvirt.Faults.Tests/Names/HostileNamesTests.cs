using System.Xml.Linq;
using ControlPlane.Domain;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Faults.Tests.Names;

/// <summary>Whatever stands in a text that a caller chooses, libvirt stores and runs the domain that a harmless text gives.</summary>
[Collection(nameof(FaultRig))]
public sealed class HostileNamesTests(FaultRig rig)
{
    private const string Breakout =
        "x</title><devices><hostdev managed='yes'/></devices>";

    private static readonly CancellationToken Ct = CancellationToken.None;

    [Theory]
    [InlineData(Breakout)]
    [InlineData("'/><emulator>/bin/sh</emulator><x a='")]
    [InlineData("]]><!--<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/shadow'>]>&e;")]
    [InlineData("../../../../etc/cron.d/x")]
    [InlineData("a,addr=0x2\n,id=x\0\u0001\ud800$(reboot)`reboot`%s%n;|&")]
    public async Task No_text_of_a_caller_changes_what_is_stored_and_run(string hostile)
    {
        await using var fleet = await RigFleet.OpenAsync(rig);
        var files = Files();
        var harmless = await StoredAsync(fleet, Definition(1, "a"));

        var stored = await StoredAsync(fleet, Definition(2, hostile));

        Assert.Equal(Shape(harmless), Shape(stored));
        Assert.All(Files().Except(files), file => Assert.StartsWith(Path.Combine(FaultRig.ImagesOf(rig.First), "cp-"), file, StringComparison.Ordinal));
        var seen = RigFleet.Ok(await fleet.Source.ListDomainsAsync(Ct)).Single(d => d.Ref == Definition(2, hostile).Ref);
        Assert.Equal((DomainState.Running, hostile), (seen.State, Assert.Single(seen.Interfaces).Name));
        RigFleet.Ok(await fleet.Source.DestroyAsync(seen.Ref, Ct));
        RigFleet.Ok(await fleet.Source.UndefineAsync(seen.Ref, DiskFate.Delete, Ct));
        Assert.DoesNotContain(Files().Except(files), file => file.Contains(seen.Ref.Vm.ToString(), StringComparison.Ordinal));
    }

    [Theory, InlineData(Breakout), InlineData("../../../etc/passwd"), InlineData("'")]
    public async Task Images_and_networks_are_looked_up_and_never_written(string hostile)
    {
        await using var fleet = await RigFleet.OpenAsync(rig);
        var vm = Definition(3, "a");

        Assert.Equal("image-not-found", (await fleet.Source.DefineAsync(vm with { Image = hostile }, Ct)).Fault?.Code);
        Assert.Equal("network-not-found", (await fleet.Source.DefineAsync(vm with { Interfaces = [vm.Interfaces[0] with { Network = hostile }] }, Ct)).Fault?.Code);
        Assert.Empty(RigFleet.Ok(await fleet.Source.ListDomainsAsync(Ct)));
    }

    /// <summary>Every text that the API lets a caller choose, and those that it would refuse.</summary>
    private static DomainDefinition Definition(int number, string text) => RigFleet.Vm(number) with
    {
        Name = text,
        Disks = [new DiskSpec(text, 1)],
        Interfaces = [new DomainInterface(text, MacAddress.Parse($"52:54:00:aa:00:{number:x2}"), "guests", null, null, false, true, PciAddress.Parse("0000:01:00.0"))],
        Labels = new Dictionary<string, string> { [text] = text, ["libvirt-teaming"] = text },
    };

    private static async Task<XElement> StoredAsync(RigFleet fleet, DomainDefinition definition)
    {
        await fleet.BootAsync(definition);
        return XElement.Parse(await fleet.SourceXmlAsync(definition));
    }

    private HashSet<string> Files() => [.. Directory.EnumerateFiles(Path.Combine(rig.First.Directory, "lib"), "*", SearchOption.AllDirectories)
        .Where(file => !file.Contains("/qemu/", StringComparison.Ordinal))];

    /// <summary>Elements and attributes by name, in order: all but the text.</summary>
    private static string Shape(XElement element) =>
        $"{element.Name}[{string.Join(',', element.Attributes().Select(a => a.Name))}]({string.Join(',', element.Elements().Select(Shape))})";
}
