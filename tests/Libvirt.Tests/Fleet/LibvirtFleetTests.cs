using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Hypervisor.Libvirt.Connections;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Tests.Fleet;

[Collection(nameof(RigHosts))]
public sealed class LibvirtFleetTests(RigHosts hosts)
{
    private static readonly CancellationToken Ct = CancellationToken.None;

    private static Host HostAt(string uri) => new(
        new HostId(new Guid("0197c5a0-0000-7000-8000-0000000000bb")), "far", new HostBackend(BackendKind.Libvirt, Uri: uri), HostState.Connecting, null,
        new Dictionary<string, string>(), HostCapacity.Unknown, CpuModel.Unknown, 1, 1, false, null, new Generation(1), null, default, default);

    [Fact]
    public async Task A_URI_that_does_not_answer_is_unavailable_with_libvirts_own_words()
    {
        await using var fleet = LibvirtTestFleet.NewFleet();
        var began = TimeProvider.System.GetTimestamp();

        var first = (await fleet.OpenAsync(HostAt("qemu+unix:///system?socket=/nonexistent/libvirt-sock"), Ct)).Fault;

        Assert.Equal((FaultKind.Unavailable, "host-unavailable"), (first?.Kind, first?.Code));
        Assert.Contains("/nonexistent/libvirt-sock", first!.Detail, StringComparison.Ordinal);
        Assert.True(TimeProvider.System.GetElapsedTime(began) < LibvirtTestFleet.Options.OpenTimeout);
    }

    [Theory]
    [InlineData("xen:///system")]
    [InlineData("qemu+carrier-pigeon://host/system")]
    [InlineData("qemu://host/")]
    [InlineData("qemu:///system#x")]
    [InlineData("/var/run/libvirt")]
    public async Task A_URI_that_cannot_be_a_hosts_is_impossible(string uri)
    {
        await using var fleet = LibvirtTestFleet.NewFleet();

        Assert.Equal("backend-uri", (await fleet.OpenAsync(HostAt(uri), Ct)).Fault?.Code);
    }

    [Fact]
    public async Task Another_control_plane_finds_what_the_first_one_made_and_fences_it()
    {
        await using var first = new LibvirtTestFleet(hosts);
        await first.RunAsync(async () =>
        {
            var definition = new DomainDefinition(
                new DomainRef(new VmId(new Guid("0197c5a0-0000-7000-8000-0000000000cc")), new Generation(4)), "web", 1, 64, HugepageSize.None,
                first.ImageFor(GuestManner.Cooperative), [], [], [], new Dictionary<string, string>());
            Assert.Null((await first.Source.DefineAsync(definition, Ct)).Fault);
            await using var second = LibvirtTestFleet.NewFleet();
            var host = (await second.OpenAsync(first.HostOf(hosts.First), Ct)).Value;

            Assert.Equal(definition.Ref, Assert.Single((await host.ListDomainsAsync(Ct)).Value).Ref);
            Assert.Null((await host.UndefineAsync(definition.Ref with { Epoch = new Generation(5) }, DiskFate.Delete, Ct)).Fault);
            Assert.Equal("stale-epoch", (await first.Source.DefineAsync(definition, Ct)).Fault?.Code);
        });
    }

    [Fact] // On shared storage they are the disks of the guest that runs elsewhere.
    public async Task Disks_outlive_a_domain_whose_VM_lives_elsewhere_and_go_with_the_VM_also_after_its_domain()
    {
        await using var fleet = new LibvirtTestFleet(hosts);
        await fleet.RunAsync(async () =>
        {
            var definition = new DomainDefinition(
                new DomainRef(new VmId(new Guid("0197c5a0-0000-7000-8000-0000000000ab")), new Generation(1)), "web", 1, 64, HugepageSize.None,
                fleet.ImageFor(GuestManner.Cooperative), [new DiskSpec("data", 1)], [], [], new Dictionary<string, string>());
            Assert.Null((await fleet.Source.DefineAsync(definition, Ct)).Fault);

            Assert.Null((await fleet.Source.UndefineAsync(definition.Ref, DiskFate.Keep, Ct)).Fault);
            Assert.Null((await fleet.Source.UndefineAsync(definition.Ref, DiskFate.Keep, Ct)).Fault);
            Assert.Equal((null, 2), ((await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct)).Value, LibvirtTestFleet.DisksOn(hosts.First)));

            Assert.Null((await fleet.Source.UndefineAsync(definition.Ref, DiskFate.Delete, Ct)).Fault);
            Assert.Equal(0, LibvirtTestFleet.DisksOn(hosts.First));
        });
    }

    [Fact]
    public async Task A_domain_of_somebody_else_is_neither_listed_nor_replaced()
    {
        await using var fleet = new LibvirtTestFleet(hosts);
        await fleet.RunAsync(async () =>
        {
            var vm = new VmId(new Guid("0197c5a0-0000-7000-8000-0000000000dd"));
            using var connection = VirConnect.Open(hosts.First.UnixUri);
            using var foreign = connection.DefineDomain(
                $"<domain type='qemu'><name>theirs</name><uuid>{vm}</uuid><memory>65536</memory><os><type arch='x86_64' machine='q35'>hvm</type></os></domain>");
            var definition = new DomainDefinition(
                new DomainRef(vm, new Generation(1)), "web", 1, 64, HugepageSize.None, fleet.ImageFor(GuestManner.Cooperative), [], [], [], new Dictionary<string, string>());

            Assert.Empty((await fleet.Source.ListDomainsAsync(Ct)).Value);
            Assert.Equal("domain-foreign", (await fleet.Source.DefineAsync(definition, Ct)).Fault?.Code);
            Assert.Null((await fleet.Source.UndefineAsync(definition.Ref with { Epoch = new Generation(2) }, DiskFate.Delete, Ct)).Fault);

            Assert.Equal("theirs", foreign.Name);
            foreign.Undefine();
        });
    }

    [Fact]
    public async Task A_missing_image_is_named_with_the_pool_that_should_have_it()
    {
        await using var fleet = new LibvirtTestFleet(hosts);
        await fleet.RunAsync(async () =>
        {
            var definition = new DomainDefinition(
                new DomainRef(new VmId(new Guid("0197c5a0-0000-7000-8000-0000000000ee")), new Generation(1)), "web", 1, 64, HugepageSize.None, "no-such-image", [], [], [],
                new Dictionary<string, string>());

            var fault = (await fleet.Source.DefineAsync(definition, Ct)).Fault;

            Assert.Equal("image-not-found", fault?.Code);
            Assert.Contains("no-such-image", fault!.Detail, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task A_domain_destroyed_behind_our_back_is_told_at_once()
    {
        await using var fleet = new LibvirtTestFleet(hosts);
        await fleet.RunAsync(async () =>
        {
            var vm = new VmId(new Guid("0197c5a0-0000-7000-8000-0000000000ff"));
            var definition = new DomainDefinition(
                new DomainRef(vm, new Generation(1)), "web", 1, 64, HugepageSize.None, fleet.ImageFor(GuestManner.Cooperative), [], [], [], new Dictionary<string, string>());
            Assert.Null((await fleet.Source.DefineAsync(definition, Ct)).Fault);
            Assert.Null((await fleet.Source.StartAsync(definition.Ref, Ct)).Fault);
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
            await using var events = fleet.Source.WatchAsync(patience.Token).GetAsyncEnumerator(patience.Token);
            var next = events.MoveNextAsync();
            using var connection = VirConnect.Open(hosts.First.UnixUri);
            using var domain = connection.LookupDomainByUuid(vm.Value);

            domain.Destroy();

            // The word of its start may still be on its way; that of its end comes within the patience, or the stream is cancelled.
            while (await next && events.Current is not HypervisorEvent.DomainChanged { State: DomainState.Off })
                next = events.MoveNextAsync();
            var changed = Assert.IsType<HypervisorEvent.DomainChanged>(events.Current);
            Assert.Equal((vm, DomainState.Off), (changed.Vm, changed.State));
        });
    }

    [Fact]
    public async Task A_domain_that_starts_and_ends_while_it_is_looked_at_is_one_or_the_other_and_no_fault()
    {
        const int Lives = 8;
        await using var fleet = new LibvirtTestFleet(hosts);
        await fleet.RunAsync(async () =>
        {
            var vm = new VmId(new Guid("0197c5a0-0000-7000-8000-0000000000ab"));
            var definition = new DomainDefinition(
                new DomainRef(vm, new Generation(1)), "web", 1, 64, HugepageSize.None, fleet.ImageFor(GuestManner.Cooperative), [], [], [], new Dictionary<string, string>());
            Assert.Null((await fleet.Source.DefineAsync(definition, Ct)).Fault);
            using var over = new CancellationTokenSource();
            var looking = Enumerable.Range(0, 3).Select(_ => LookAsync()).ToArray();

            for (var life = 0; life < Lives; life++)
            {
                Assert.Null((await fleet.Source.StartAsync(definition.Ref, Ct)).Fault);
                Assert.Null((await fleet.Source.DestroyAsync(definition.Ref, Ct)).Fault);
            }
            await over.CancelAsync();

            Assert.All((await Task.WhenAll(looking)).SelectMany(seen => seen), seen => Assert.True(seen.Succeeded, seen.Fault?.ToString()));

            async Task<List<Outcome<DomainStatus?>>> LookAsync()
            {
                var seen = new List<Outcome<DomainStatus?>>();
                while (!over.IsCancellationRequested)
                    seen.Add(await fleet.Source.FindDomainAsync(vm, Ct));
                return seen;
            }
        });
    }
}
