using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Tests.Migration;

/// <summary>Real live migrations between two libvirtd, as far as they need no hold.</summary>
[Collection(nameof(RigHosts))]
public sealed class MigrationTests(RigHosts hosts)
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    private static readonly CopyOptions Options = new(MigrationMode.PreCopy, null, TimeSpan.FromMilliseconds(300), AutoConverge: true);

    private static readonly DomainRef Vm = new(new VmId(new Guid("0197c5a0-0000-7000-8000-0000000000aa")), new Generation(1));

    private static DomainDefinition Definition(LibvirtTestFleet fleet) => new(
        Vm, "moving", 1, 64, HugepageSize.None, fleet.ImageFor(GuestManner.DirtiesFast), [new DiskSpec("data", 1)],
        [new DomainInterface("net0", MacAddress.Parse("52:54:00:aa:00:01"), "prod", 7, null, false, true, PciAddress.Parse("0000:01:00.0"))], [],
        new Dictionary<string, string>());

    [Theory]
    [InlineData("peer-to-peer")]
    [InlineData("direct")]
    public async Task A_guest_moves_with_its_disks_and_keeps_what_it_sees(string way)
    {
        await using var fleet = new LibvirtTestFleet(hosts, new Dictionary<string, string> { ["libvirt-migration"] = way });
        await fleet.RunAsync(async () =>
        {
            var definition = Definition(fleet);
            Ok(await fleet.Source.DefineAsync(definition, Ct));
            Ok(await fleet.Source.StartAsync(Vm, Ct));
            var before = Ok(await fleet.Source.FindDomainAsync(Vm.Vm, Ct))!;
            var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
            Assert.Equal(DomainState.Incoming, Ok(await fleet.Target.FindDomainAsync(Vm.Vm, Ct))?.State);

            Ok(await fleet.Source.Migration.BeginCopyAsync(Vm, incoming, Options, Ct));
            await UntilHeldOrOver(fleet.Source, Vm);
            Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(Vm, Ct)));
            Assert.Equal(SwitchOverResult.OnTarget, Ok(await fleet.Source.Migration.SwitchOverAsync(Vm, Ct)));

            Assert.Null(Ok(await fleet.Source.FindDomainAsync(Vm.Vm, Ct)));
            var after = Ok(await fleet.Target.FindDomainAsync(Vm.Vm, Ct))!;
            Assert.Equal(DomainState.Running, after.State);
            Assert.Equal(before.Interfaces, after.Interfaces);
            Assert.Equal(CopyPhase.Completed, Ok(await fleet.Source.Migration.ReadProgressAsync(Vm, Ct)).Phase);
            Assert.Equal("already-switched", (await fleet.Source.Migration.AbortCopyAsync(Vm, Ct)).Fault?.Code);
            Assert.Equal("domain-running", (await fleet.Target.Migration.DiscardIncomingAsync(Vm, Ct)).Fault?.Code);
        });
    }

    [Fact]
    public async Task A_guest_that_writes_its_memory_moves_there_and_back_ten_times_and_keeps_its_disks_on_one_host()
    {
        const int Moves = 20;
        await using var fleet = new LibvirtTestFleet(hosts);
        await fleet.RunAsync(async () =>
        {
            var definition = Definition(fleet);
            Ok(await fleet.Source.DefineAsync(definition, Ct));
            Ok(await fleet.Source.StartAsync(Vm, Ct));
            var (here, there) = (fleet.Source, fleet.Target);
            for (var move = 1; move <= Moves; move++)
            {
                var moving = definition with { Ref = Vm with { Epoch = new Generation(move + 1) } };
                var incoming = Ok(await there.Migration.PrepareIncomingAsync(moving, Ct));
                Ok(await here.Migration.BeginCopyAsync(moving.Ref, incoming, Options, Ct));
                await UntilHeldOrOver(here, moving.Ref);
                Assert.Equal(SwitchOverResult.OnTarget, Ok(await here.Migration.SwitchOverAsync(moving.Ref, Ct)));

                Assert.Null(Ok(await here.FindDomainAsync(Vm.Vm, Ct)));
                Assert.Equal(DomainState.Running, Ok(await there.FindDomainAsync(Vm.Vm, Ct))?.State);
                Assert.Equal(here == fleet.Source ? (0, 2) : (2, 0), (LibvirtTestFleet.DisksOn(hosts.First), LibvirtTestFleet.DisksOn(hosts.Second)));
                (here, there) = (there, here);
            }
        });
    }

    [Fact]
    public async Task An_aborted_copy_leaves_the_guest_on_the_source_and_nothing_on_the_target()
    {
        await using var fleet = new LibvirtTestFleet(hosts);
        await fleet.RunAsync(async () =>
        {
            var definition = Definition(fleet);
            Ok(await fleet.Source.DefineAsync(definition, Ct));
            Ok(await fleet.Source.StartAsync(Vm, Ct));
            var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
            Ok(await fleet.Source.Migration.BeginCopyAsync(Vm, incoming, Options with { BandwidthMiBPerSecond = 1 }, Ct));

            Ok(await fleet.Source.Migration.AbortCopyAsync(Vm, Ct));
            Ok(await fleet.Target.Migration.DiscardIncomingAsync(Vm, Ct));

            Assert.Equal(CopyPhase.Aborted, Ok(await fleet.Source.Migration.ReadProgressAsync(Vm, Ct)).Phase);
            Assert.Equal(DomainState.Running, Ok(await fleet.Source.FindDomainAsync(Vm.Vm, Ct))?.State);
            Assert.Null(Ok(await fleet.Target.FindDomainAsync(Vm.Vm, Ct)));
        });
    }

    [Fact]
    public async Task A_target_that_does_not_listen_is_said_so()
    {
        await using var fleet = new LibvirtTestFleet(hosts);
        await fleet.RunAsync(async () =>
        {
            var definition = Definition(fleet);
            Ok(await fleet.Source.DefineAsync(definition, Ct));
            Ok(await fleet.Source.StartAsync(Vm, Ct));
            var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
            Ok(await fleet.Target.Migration.DiscardIncomingAsync(Vm, Ct));

            Assert.Equal("no-incoming", (await fleet.Source.Migration.BeginCopyAsync(Vm, incoming, Options, Ct)).Fault?.Code);
        });
    }

    private static async Task UntilHeldOrOver(IHypervisor source, DomainRef domain)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (Ok(await source.Migration.ReadProgressAsync(domain, patience.Token)).Phase == CopyPhase.Copying)
            await Task.Delay(LibvirtTestFleet.Options.PollInterval, TimeProvider.System, patience.Token);
    }

    private static T Ok<T>(Outcome<T> outcome)
    {
        Assert.True(outcome.Succeeded, outcome.Fault?.ToString());
        return outcome.Value;
    }
}
