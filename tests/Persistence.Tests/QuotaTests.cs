using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Domain.Projects;
using ControlPlane.Persistence.Pci;
using ControlPlane.Persistence.Projects;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing.Postgres;

namespace ControlPlane.Persistence.Tests;

public sealed class QuotaTests(MigratedPostgres postgres)
{
    private static readonly QuotaAmount OneVm = new(1, 2, 1024, new Dictionary<PoolId, int>());

    [Fact]
    public async Task Creates_that_race_never_exceed_the_quota()
    {
        await using var world = await World.CreateAsync(postgres);
        await SetQuotaAsync(world, new Quota(5, null, null, new Dictionary<PoolId, int>()));

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => TakeAsync(world, OneVm)));

        Assert.Equal(5, answers.Count(fault => fault is null));
        Assert.All(answers.OfType<Fault>(), fault => Assert.Equal((FaultKind.LimitExceeded, WriteFaults.QuotaExceededCode), (fault.Kind, fault.Code)));
        Assert.Equal(5, (await UsedAsync(world)).Vms);
    }

    [Fact]
    public async Task Two_servers_together_never_exceed_the_quota()
    {
        await using var world = await World.CreateAsync(postgres, new WriterOptions { Connections = 4, BatchMax = 2 });
        await SetQuotaAsync(world, new Quota(7, null, null, new Dictionary<PoolId, int>()));

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => TakeAsync(world, OneVm)));

        Assert.Equal(7, answers.Count(fault => fault is null));
        Assert.Equal(7, (await UsedAsync(world)).Vms);
    }

    [Theory]
    [InlineData(null, 3, null)]
    [InlineData(null, null, 1500L)]
    public async Task Each_amount_has_its_own_limit(int? vms, int? vcpus, long? memoryMiB)
    {
        await using var world = await World.CreateAsync(postgres);
        await SetQuotaAsync(world, new Quota(vms, vcpus, memoryMiB, new Dictionary<PoolId, int>()));

        Assert.Null(await TakeAsync(world, OneVm));
        Assert.Equal(WriteFaults.QuotaExceededCode, (await TakeAsync(world, OneVm))?.Code);

        await world.CommitAsync(unit => world.Usage.GiveQuotaBack(unit, world.Project.Id, OneVm));
        Assert.Null(await TakeAsync(world, OneVm));
    }

    [Fact]
    public async Task Devices_are_counted_by_pool()
    {
        await using var world = await World.CreateAsync(postgres);
        var (limited, free) = (await AddPoolAsync(world, "limited"), await AddPoolAsync(world, "free"));
        await SetQuotaAsync(world, new Quota(null, null, null, new Dictionary<PoolId, int> { [limited] = 3 }));
        var two = OneVm with { DevicesByPool = new Dictionary<PoolId, int> { [limited] = 2, [free] = 2 } };

        Assert.Null(await TakeAsync(world, two));
        Assert.Equal(WriteFaults.QuotaExceededCode, (await TakeAsync(world, two))?.Code);
        Assert.Equal(WriteFaults.QuotaExceededCode, (await TakeAsync(world, OneVm with { DevicesByPool = new Dictionary<PoolId, int> { [limited] = 2 } }))?.Code);
        Assert.Null(await TakeAsync(world, OneVm with { DevicesByPool = new Dictionary<PoolId, int> { [free] = 100 } }));

        await world.CommitAsync(unit => world.Usage.GiveQuotaBack(unit, world.Project.Id, two));
        var used = await UsedAsync(world);
        Assert.Equal(new Dictionary<PoolId, int> { [free] = 100 }, used.DevicesByPool);
    }

    [Fact]
    public async Task A_first_use_of_a_pool_beyond_its_limit_is_refused_too()
    {
        await using var world = await World.CreateAsync(postgres);
        var pool = await AddPoolAsync(world, "pool");
        await SetQuotaAsync(world, new Quota(null, null, null, new Dictionary<PoolId, int> { [pool] = 1 }));

        Assert.Equal(WriteFaults.QuotaExceededCode, (await TakeAsync(world, OneVm with { DevicesByPool = new Dictionary<PoolId, int> { [pool] = 2 } }))?.Code);
    }

    [Fact]
    public async Task A_quota_below_what_is_in_use_takes_nothing_away_and_gives_nothing_more()
    {
        await using var world = await World.CreateAsync(postgres);
        Assert.Null(await TakeAsync(world, OneVm));
        Assert.Null(await TakeAsync(world, OneVm));

        await SetQuotaAsync(world, new Quota(1, null, null, new Dictionary<PoolId, int>()));

        Assert.Equal(2, (await UsedAsync(world)).Vms);
        Assert.Equal(WriteFaults.QuotaExceededCode, (await TakeAsync(world, OneVm))?.Code);
        await world.CommitAsync(unit => world.Usage.GiveQuotaBack(unit, world.Project.Id, OneVm));
    }

    [Fact]
    public async Task A_pool_whose_devices_are_in_use_cannot_be_deleted()
    {
        await using var world = await World.CreateAsync(postgres);
        var pool = await AddPoolAsync(world, "pool");
        var one = OneVm with { DevicesByPool = new Dictionary<PoolId, int> { [pool] = 1 } };
        Assert.Null(await TakeAsync(world, one));

        Assert.Equal(WriteFaults.InUseCode, (await DeleteAsync())?.Code);
        await world.CommitAsync(unit => world.Usage.GiveQuotaBack(unit, world.Project.Id, one));
        Assert.Null(await DeleteAsync());

        Task<Fault?> DeleteAsync() => world.TryCommitAsync(unit => world.Get<DevicePoolStore>().Delete(unit, pool, Generation.None));
    }

    private static Task<Fault?> TakeAsync(World world, QuotaAmount amount) =>
        world.TryCommitAsync(unit => world.Usage.TakeQuota(unit, world.Project.Id, amount));

    private static Task<QuotaAmount> UsedAsync(World world) => world.Usage.ProjectAsync(world.Project.Id, CancellationToken.None);

    private static Task SetQuotaAsync(World world, Quota quota) => world.CommitAsync(unit =>
        world.Get<ProjectStore>().Update(unit, world.Project with { Quota = quota, Generation = world.Project.Generation.Next() }, world.Project.Generation));

    private static async Task<PoolId> AddPoolAsync(World world, string name)
    {
        var pool = new DevicePool(
            new PoolId(World.NewId()), name, PoolKind.VirtualFunction, [new PoolMatch(VendorId: 0x8086)], null, Generation.None, World.Now, World.Now);
        await world.CommitAsync(unit => world.Get<DevicePoolStore>().Insert(unit, pool));
        return pool.Id;
    }
}
