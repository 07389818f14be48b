using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Domain.Pci;
using ControlPlane.Orchestration.Hosts;
using ControlPlane.Orchestration.Reconcilers;
using ControlPlane.Orchestration.Registration;
using ControlPlane.Persistence.Hosts;
using ControlPlane.Persistence.Writing;
using ControlPlane.Scheduling;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>What a server believes of the fleet is what the database says, whatever happened and whoever did it.</summary>
public sealed class FleetMemoryTests
{
    private const int Steps = 30;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task After_any_changes_of_its_own_a_servers_memory_is_what_a_new_server_would_read(int seed)
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await StartSharingAsync(world);
        await process.WithFleetAsync(hosts: 2);
        var chance = new Random(seed);

        for (var step = 0; step < Steps; step++)
            await FleetChanges.ChangeAsync(world, [process], chance, step);

        Assert.Equal(await FreshAsync(world), process.Get<FleetSnapshot>().Describe());
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public async Task After_any_changes_of_two_servers_both_believe_what_a_new_server_would_read(int seed)
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var first = await StartSharingAsync(world);
        await first.WithFleetAsync(hosts: 2);
        await using var second = await StartSharingAsync(world);
        using var over = new CancellationTokenSource();
        Task[] listening = [await first.ListenAsync(second, over.Token), await second.ListenAsync(first, over.Token)];
        var chance = new Random(seed);

        for (var step = 0; step < Steps; step++)
            await FleetChanges.ChangeAsync(world, [first, second], chance, step);
        await RefreshAsync(first, second);
        await RefreshAsync(second, first);

        var truth = await FreshAsync(world);
        Assert.Equal(truth, first.Get<FleetSnapshot>().Describe());
        Assert.Equal(truth, second.Get<FleetSnapshot>().Describe());
        Assert.Equal(Names(first), Names(second));
        await over.CancelAsync();
        await Task.WhenAll(listening);
    }

    [Fact]
    public async Task What_another_server_gave_back_can_be_sold_again_and_what_it_deleted_is_gone()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var first = await StartSharingAsync(world);
        await first.WithFleetAsync(hosts: 2);
        var host = first.Get<FleetDirectory>().FindHost("hv1")!;
        var most = HostShare.SellableOf(host.Capacity, host.CpuRatio, host.MemoryRatio).MemoryMiB * 2 / 3;
        var all = first.Draft("web-1", host: "hv1") with { MemoryMiB = most };
        var vm = await first.RunVmAsync(all);
        await using var second = await StartSharingAsync(world);
        using var over = new CancellationTokenSource();
        var listening = await second.ListenAsync(first, over.Token);
        Assert.Equal("no-placement", (await second.CreateAsync(all with { Name = "web-2" })).Fault?.Code);

        await FleetChanges.DeleteAsync(first, vm.Id);
        Assert.Null((await first.AskAsync((RemoveHostHandler h) => h.HandleAsync(new RemoveHost(first.Host("hv2"), null), default))).Fault);
        await RefreshAsync(second, first);

        Assert.Null(second.Get<FleetDirectory>().FindHost("hv2"));
        await second.RunVmAsync(all with { Name = "web-2" });
        await over.CancelAsync();
        await listening;
    }

    [Fact]
    public async Task A_reading_takes_nothing_away_that_is_being_committed_and_brings_nothing_back_that_is_gone()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 2);
        using var over = new CancellationTokenSource();
        var loading = Task.Run(async () =>
        {
            while (!over.IsCancellationRequested)
                await process.Get<FleetLoader>().LoadAsync(CancellationToken.None);
        });

        await Task.WhenAll(Enumerable.Range(0, 8).Select(async line =>
        {
            for (var round = 0; round < 4; round++)
                await FleetChanges.DeleteAsync(process, (await process.RunVmAsync(process.Draft($"web-{line}-{round}", AttachKind.Vf))).Id);
            await process.RunVmAsync(process.Draft($"kept-{line}", AttachKind.Failover));
        }));
        await over.CancelAsync();
        await loading;
        while ((await process.Get<FleetRefresh>().RunAsync(default)).Changed > 0)
        {
            // A host that was changed while it was read is read once more.
        }

        Assert.Equal(await FreshAsync(world), process.Get<FleetSnapshot>().Describe());
    }

    [Fact]
    public async Task News_that_may_have_been_lost_make_a_server_read_everything_once()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var first = await world.StartFleetAsync(hosts: 1);
        await using var second = await world.StartAsync(runs: false);
        await first.RunVmAsync(first.Draft("web-1", AttachKind.Vf));
        Assert.Equal(default, await second.Get<FleetRefresh>().RunAsync(default));
        Assert.NotEqual(first.Get<FleetSnapshot>().Describe(), second.Get<FleetSnapshot>().Describe());
        second.Get<FleetRefresh>().Missed();

        Assert.Equal(new ReconcileReport(1, 1), await second.Get<FleetRefresh>().RunAsync(default));

        Assert.Equal(first.Get<FleetSnapshot>().Describe(), second.Get<FleetSnapshot>().Describe());
        Assert.Equal(default, await second.Get<FleetRefresh>().RunAsync(default));
    }

    [Fact]
    public async Task A_refresh_that_the_database_does_not_answer_is_not_forgotten()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        process.Get<FleetRefresh>().Missed();
        await world.SqlAsync("ALTER TABLE pci_devices RENAME TO pci_devices_away");

        await Assert.ThrowsAnyAsync<Exception>(() => process.Get<FleetRefresh>().RunAsync(default));
        process.Get<FleetLoader>().MarkStale(process.Host("hv1"));
        await Assert.ThrowsAnyAsync<Exception>(() => process.Get<FleetLoader>().RefreshStaleAsync(default));
        await world.SqlAsync("ALTER TABLE pci_devices_away RENAME TO pci_devices");

        Assert.Equal(new ReconcileReport(1, 1), await process.Get<FleetRefresh>().RunAsync(default));
        Assert.Equal(new ReconcileReport(1, 1), await process.Get<FleetRefresh>().RunAsync(default));
        Assert.Equal(await FreshAsync(world), process.Get<FleetSnapshot>().Describe());
    }

    private static async Task<IReadOnlyList<string>> FreshAsync(ControlPlaneWorld world)
    {
        await using var fresh = await world.StartProcessAsync();
        return fresh.Get<FleetSnapshot>().Describe();
    }

    /// <summary>A process that tells the others of its commits.</summary>
    private static async Task<ServerProcess> StartSharingAsync(ControlPlaneWorld world) => await (await world.StartProcessAsync(services => services
        .AddRecordedNouns()
        .AddSingleton(Audits.AtOnce))).RunAsync();

    /// <summary>The process has heard all that the other has committed before, and has read it.</summary>
    private static async Task RefreshAsync(ServerProcess process, ServerProcess other)
    {
        await process.HearAsync(other);
        while ((await process.Get<FleetRefresh>().RunAsync(default)).Changed > 0)
        {
            // A host that was changed while it was read is read once more.
        }
    }

    private static IEnumerable<string> Names(ServerProcess process)
    {
        var directory = process.Get<FleetDirectory>();
        return directory.Hosts.Select(h => h.Name).Concat(directory.Pools.Select(p => p.Name)).Concat(directory.NetworksById.Values.Select(n => n.Name))
            .Order(StringComparer.Ordinal);
    }
}
