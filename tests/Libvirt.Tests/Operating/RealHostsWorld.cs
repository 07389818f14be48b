using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.Projects;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Libvirt;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Lab.Hosts;
using ControlPlane.Libvirt.Tests.Infrastructure;
using ControlPlane.Orchestration;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Tests;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Networks;
using ControlPlane.Persistence.Projects;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing;
using ControlPlane.Testing.Libvirt;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Libvirt.Tests.Operating;

/// <summary>A control plane's database, and servers on it, over the two real hosts. Each server has connections of its own, as after a restart.</summary>
internal sealed class RealHostsWorld(ControlPlaneWorld world, LibvirtTestFleet fleet, RigHosts hosts) : IAsyncDisposable
{
    /// <summary>A guest whose QEMU holds its processors back is held back by so much, and no more.</summary>
    public const int LeastThrottlePercent = 20;

    private const string VmName = "web-1";

    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(50);

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public LibvirtTestFleet Fleet => fleet;

    /// <summary>Runs a test on hosts that have nothing of ours, with a server that knows both.</summary>
    public static async Task RunAsync(RigHosts hosts, TimeProvider? clock, Func<RealHostsWorld, ServerProcess, Task> test)
    {
        await using var fleet = new LibvirtTestFleet(hosts);
        await fleet.RunAsync(async () =>
        {
            await using var world = new RealHostsWorld(await ControlPlaneWorld.CreateAsync(clock), fleet, hosts);
            await using var process = await world.StartAsync();
            await world.FurnishAsync(process);
            await test(world, process);
        });
    }

    /// <summary>A server that runs its sagas, and takes over those of a dead one.</summary>
    public async Task<ServerProcess> StartAsync() =>
        await (await world.StartProcessAsync(services => services
            .AddSingleton(_ => LibvirtTestFleet.NewFleet())
            .AddSingleton(provider => new HeardFleet(provider.GetRequiredService<LibvirtFleet>()))
            .AddSingleton<IHypervisorFleet>(provider => provider.GetRequiredService<HeardFleet>()))).RunAsync();

    /// <summary>All that a VM can hold, in the database and on the hosts, as text that can be compared.</summary>
    public Task<string> DumpAsync(ServerProcess process) => WorldDump.OfAsync(world, process);

    /// <summary>A running VM on the first host.</summary>
    public Task<VirtualMachine> RunVmAsync(ServerProcess process, GuestManner manner = GuestManner.Cooperative) => process.RunVmAsync(process.Draft(VmName, AttachKind.Virtio, host: hosts.First.Name) with
    {
        Image = fleet.ImageFor(manner),
    });

    /// <summary>Begins to move a VM of the first host, which writes its memory, to the second. Its guest may be held back from the start, but never by more than what a test looks for.</summary>
    public async Task<(GuestProcess Guest, Domain.Migrations.Migration Begun)> BeginMigrationAsync(ServerProcess process, VmId vm, MigrationRequest request)
    {
        var guest = new GuestProcess(hosts.First, $"cp-{vm}");
        await UntilAsync(guest.WritesAsync, "the guest writes its memory");
        await guest.LimitThrottleAsync(LeastThrottlePercent);
        var begun = await process.AskAsync((MigrateVirtualMachineHandler h) => h.HandleAsync(new MigrateVirtualMachine(vm, hosts.Second.Name, request), CancellationToken.None));
        Assert.Null(begun.Fault);
        return (guest, begun.Value);
    }

    public static async Task<DomainState?> StateOnAsync(IHypervisor host, VmId vm)
    {
        var found = await host.FindDomainAsync(vm, CancellationToken.None);
        Assert.Null(found.Fault);
        return found.Value?.State;
    }

    /// <summary>Lets a server's time pass, second by second, until the work has ended.</summary>
    public static Task PassUntilEndedAsync(FakeTime clock, Task work, string what) => UntilAsync(
        () =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(work.IsCompleted);
        },
        what);

    public static Task UntilAsync(Func<Task<bool>> isSo, string what) => UntilAsync(isSo, () => what);

    public static async Task UntilAsync(Func<Task<bool>> isSo, Func<string> what)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!await isSo())
        {
            Assert.False(limit.IsCancellationRequested, $"Not within {Patience.TotalSeconds:0} s: {what()}.");
            await Task.Delay(BetweenLooks, TimeProvider.System);
        }
    }

    public ValueTask DisposeAsync() => world.DisposeAsync();

    private async Task FurnishAsync(ServerProcess process)
    {
        var now = process.Get<TimeProvider>().GetUtcNow();
        var ids = process.Get<IIdSource>();
        var unit = new WriteUnit();
        var project = new Project(new ProjectId(ids.Next()), Project.DefaultName, Quota.Unlimited, new Generation(1), now, now);
        var network = new Network(new NetworkId(ids.Next()), Fleets.Network, null, 7, 1500, new Generation(1), now, now);
        process.Get<ProjectStore>().Insert(unit, project);
        process.Get<NetworkStore>().Insert(unit, network);
        Assert.Null((await process.Get<BatchingWriter>().CommitAsync(unit, CancellationToken.None)).Fault);
        process.Get<FleetDirectory>().Set(project);
        process.Get<FleetDirectory>().Set(network);
        foreach (var host in hosts.Rig.Hosts)
            await AddAsync(process, host);
    }

    private async Task AddAsync(ServerProcess process, LabHost host)
    {
        var described = fleet.HostOf(host);
        var accepted = await process.AskAsync((AddHostHandler h) => h.HandleAsync(new AddHost(host.Name, described.Backend, described.Labels), CancellationToken.None));
        Assert.Null(accepted.Fault);
        var operation = await process.EndAsync(accepted.Value.Operation.Id);
        Assert.Null(operation.Error);
        Assert.Equal(HostState.Up, process.Get<FleetDirectory>().FindHost(host.Name)!.State);
    }
}
