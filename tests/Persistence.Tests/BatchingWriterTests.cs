using ControlPlane.Domain;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Networks;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Persistence.Events;
using ControlPlane.Persistence.Records;
using ControlPlane.Persistence.Writing;
using ControlPlane.Testing.Postgres;

namespace ControlPlane.Persistence.Tests;

public sealed class BatchingWriterTests(MigratedPostgres postgres)
{
    [Fact]
    public async Task Units_that_arrive_together_share_transactions()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var before = await world.ScalarAsync<decimal>("SELECT sum(batch) FROM writers");

        var vms = Enumerable.Range(0, 200).Select(i => world.NewVm($"vm-{i}", host.Id)).ToList();
        var answers = await Task.WhenAll(vms.Select(vm => world.TryCommitAsync(unit => Create(world, unit, vm, host.Id))));

        Assert.All(answers, Assert.Null);
        Assert.Equal(new HostShare(400, 200 * 2048), (await world.Usage.FindAsync(host.Id, CancellationToken.None))!.Sold);
        Assert.Equal(200, (await world.Usage.ProjectAsync(world.Project.Id, CancellationToken.None)).Vms);
        var batches = await world.ScalarAsync<decimal>("SELECT sum(batch) FROM writers") - before;
        Assert.InRange(batches, 1, 20);
    }

    [Fact]
    public async Task A_bad_unit_among_a_hundred_good_ones_falls_out_alone()
    {
        await using var world = await World.CreateAsync(postgres);
        var taken = await world.AddVmAsync("vm-50");

        var answers = await Task.WhenAll(Enumerable.Range(0, 101).Select(i => world.TryCommitAsync(unit =>
        {
            var vm = world.NewVm($"vm-{i}", null);
            world.Vms.Insert(unit, vm);
            world.Get<EventStore>().Append(unit, Told(vm.Name));
        })));

        Assert.Equal(WriteFaults.NameTakenCode, answers[50]?.Code);
        Assert.Single(answers.OfType<Fault>());
        Assert.Equal(101, await world.ScalarAsync<long>("SELECT count(*) FROM virtual_machines"));
        Assert.Equal(100, await world.ScalarAsync<long>("SELECT count(*) FROM events"));
        Assert.Equal(taken.Id, (await world.Vms.FindByNameAsync(world.Project.Id, "vm-50", CancellationToken.None))!.Id);
    }

    [Fact]
    public async Task A_refused_unit_leaves_nothing_behind()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync(sellable: new HostShare(1, 1000));

        var fault = await world.TryCommitAsync(unit =>
        {
            Create(world, unit, world.NewVm("big", host.Id), host.Id);
            world.Get<EventStore>().Append(unit, Told("big"));
        });

        Assert.Equal(WriteFaults.PlacementConflictCode, fault?.Code);
        foreach (var table in new[] { "virtual_machines", "host_allocations", "events" })
            Assert.Equal(0, await world.ScalarAsync<long>($"SELECT count(*) FROM {table}"));
        Assert.Equal(0, (await world.Usage.ProjectAsync(world.Project.Id, CancellationToken.None)).Vms);
    }

    [Fact]
    public async Task Of_many_changes_made_from_one_reading_exactly_one_is_written()
    {
        await using var world = await World.CreateAsync(postgres);
        var vm = await world.AddVmAsync("one");

        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => world.TryCommitAsync(unit =>
            world.Vms.Update(unit, vm with { State = VmState.Stopped, Generation = vm.Generation.Next() }, vm.Generation))));

        Assert.Single(answers, fault => fault is null);
        Assert.All(answers.OfType<Fault>(), fault => Assert.Equal(WriteFaults.ChangedMeanwhileCode, fault.Code));
        Assert.Equal(vm.Generation.Next(), (await world.Vms.FindAsync(vm.Id, CancellationToken.None))!.Generation);
    }

    [Fact]
    public async Task One_device_wanted_by_many_goes_to_exactly_one()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var device = await world.AddDeviceAsync(host.Id, World.Function("0000:01:00.0"));
        var vms = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => world.AddVmAsync($"vm-{i}")));

        var answers = await Task.WhenAll(vms.Select(vm => world.ClaimAsync(device, vm)));

        var winner = vms[Array.IndexOf(answers, null)];
        Assert.Equal(9, answers.OfType<Fault>().Count(fault => fault.Code == WriteFaults.PlacementConflictCode));
        var owned = Assert.Single(await world.Devices.ByVmAsync(winner.Id, CancellationToken.None));
        Assert.Equal(new Generation(1), owned.Ownership.Generation);
    }

    [Fact]
    public async Task Two_changes_of_one_row_in_one_unit_happen_one_after_the_other()
    {
        await using var world = await World.CreateAsync(postgres);
        var vm = await world.AddVmAsync("one");
        var stopped = vm with { State = VmState.Stopped, Generation = vm.Generation.Next() };

        await world.CommitAsync(unit =>
        {
            world.Vms.Update(unit, stopped, vm.Generation);
            world.Vms.Update(unit, stopped with { State = VmState.Starting, Generation = stopped.Generation.Next() }, stopped.Generation);
        });

        Assert.Equal(VmState.Starting, (await world.Vms.FindAsync(vm.Id, CancellationToken.None))!.State);
    }

    [Fact]
    public async Task What_is_in_use_cannot_be_deleted_and_says_so()
    {
        await using var world = await World.CreateAsync(postgres);
        var host = await world.AddHostAsync();
        var vm = await world.AddVmAsync("one", host.Id);
        await world.CommitAsync(unit => world.Usage.AddMac(unit, MacAddress.Parse("52:54:00:00:00:01"), vm.Id, "net0", world.Network.Id));

        Assert.Equal(WriteFaults.InUseCode, (await world.TryCommitAsync(unit => world.Get<Networks.NetworkStore>().Delete(unit, world.Network.Id, Generation.None)))?.Code);
        Assert.Equal(WriteFaults.InUseCode, (await world.TryCommitAsync(unit => world.Vms.Delete(unit, vm.Id, vm.Generation)))?.Code);
        Assert.Equal(WriteFaults.InUseCode, (await world.TryCommitAsync(unit =>
        {
            world.Usage.ForgetHost(unit, host.Id);
            world.Hosts.Delete(unit, host.Id, host.Generation);
        }))?.Code);
    }

    [Fact]
    public async Task A_reference_to_what_was_deleted_meanwhile_is_told_apart_from_in_use()
    {
        await using var world = await World.CreateAsync(postgres);

        var fault = await world.TryCommitAsync(unit => world.Vms.Insert(unit, world.NewVm("one", new HostId(World.NewId()))));

        Assert.Equal(WriteFaults.ChangedMeanwhileCode, fault?.Code);
    }

    [Fact]
    public async Task A_writer_that_meets_a_bug_gives_it_to_its_caller_and_goes_on_for_the_others()
    {
        await using var world = await World.CreateAsync(postgres);
        var bug = new RowShape("nowhere", "INSERT INTO nowhere SELECT * FROM unnest($1)", [ColumnType.Uuid], RowsWanted.One, _ => WriteFaults.Changed);

        var broken = Task.Run(() => world.TryCommitAsync(unit => unit.Add(bug, World.NewId())));
        var good = Enumerable.Range(0, 20).Select(i => world.TryCommitAsync(unit => world.Vms.Insert(unit, world.NewVm($"vm-{i}", null)))).ToList();

        Assert.NotNull(await Record.ExceptionAsync(() => broken));
        Assert.All(await Task.WhenAll(good), Assert.Null);
        Assert.Equal(20, await world.ScalarAsync<long>("SELECT count(*) FROM virtual_machines"));
    }

    private static void Create(World world, WriteUnit unit, VirtualMachine vm, HostId host)
    {
        world.Usage.TakeQuota(unit, world.Project.Id, new QuotaAmount(1, vm.Spec.Vcpus, vm.Spec.MemoryMiB, new Dictionary<PoolId, int>()));
        world.Vms.Insert(unit, vm);
        world.Usage.Allocate(unit, new HostAllocation(vm.Id, host, world.Project.Id, vm.Spec.ShareOfHost()));
    }

    private static NewEvent Told(string subject) => new("vm.created", "/api/v1/vms", subject, null, "{}", World.Now);
}
