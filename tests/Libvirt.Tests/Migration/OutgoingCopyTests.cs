using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Libvirt.Migration;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Infrastructure;
using LibvirtSharp;

namespace ControlPlane.Libvirt.Tests.Migration;

/// <summary>A copy whose job takes long to end: on a busy host the source has forgotten the guest a while before the call that moved it returns.</summary>
[Collection(nameof(RigHosts))]
public sealed class OutgoingCopyTests(RigHosts hosts)
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    private static readonly DomainRef Vm = new(new VmId(new Guid("0197c5a0-0000-7000-8000-0000000000cc")), new Generation(1));

    [Theory]
    [InlineData(MigrationMode.PreCopy)]
    [InlineData(MigrationMode.PostCopy)]
    public async Task A_guest_that_the_source_has_forgotten_is_let_go_without_a_word_and_what_counts_is_how_the_job_ends(MigrationMode mode)
    {
        await using var fleet = new LibvirtTestFleet(hosts);
        await fleet.RunAsync(async () =>
        {
            Assert.Null((await fleet.Source.DefineAsync(new DomainDefinition(
                Vm, "leaving", 1, 64, HugepageSize.None, fleet.ImageFor(GuestManner.Cooperative), [], [], [], new Dictionary<string, string>()), Ct)).Fault);
            Assert.Null((await fleet.Source.StartAsync(Vm, Ct)).Fault);
            var source = fleet.HostOf(hosts.First);
            await using var host = new LibvirtHost(source.Id, HostSettings.Of(source).Value, LibvirtTestFleet.Options, TimeProvider.System);
            var found = await host.RunAsync<VirDomain>(connection => connection.LookupDomainByUuid(Vm.Vm.Value), Ct);
            using var domain = found.Value;
            using var copy = new OutgoingCopy(domain, host, new CopyOptions(mode, null, TimeSpan.FromMilliseconds(25), AutoConverge: false), LibvirtTestFleet.Options);
            var job = new TaskCompletionSource<VirJobStatistics?>();
            var running = copy.RunAsync(_ => job.Task);
            foreach (var step in new[] { "destroy", "undefine" })
                await hosts.First.RequireVirshAsync([step, $"cp-{Vm.Vm}"], Ct);

            Assert.Null(await copy.LetGoAsync(Ct));
            Assert.Null(await copy.AllowAsync(TimeSpan.FromMilliseconds(50), Ct));

            Assert.Equal(CopyPhase.Copying, copy.Progress.Phase);
            job.SetResult(null);
            Assert.Equal(CopyPhase.Completed, (await running).Phase);
        });
    }
}
