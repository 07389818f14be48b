using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Orchestration.Reconcilers;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>CPUs and memory that are held without use, or used without being held.</summary>
public sealed class AllocationAuditTests
{
    private const string Sell =
        """
        WITH taken AS (
          INSERT INTO host_allocations (vm_id, host_id, project_id, vcpus, memory_mib, hugepages_2mib, hugepages_1gib, hard_spread)
          SELECT id, $1, project_id, 1, 64, 0, 0, false FROM virtual_machines WHERE id = $2 RETURNING host_id)
        UPDATE host_usage u SET vcpus_sold = vcpus_sold + 1, memory_mib_sold = memory_mib_sold + 64 FROM taken t WHERE u.host_id = t.host_id
        """;

    private const string Forget =
        """
        WITH gone AS (DELETE FROM host_allocations WHERE vm_id = $1 RETURNING host_id)
        UPDATE host_usage u SET vcpus_sold = vcpus_sold - 1, memory_mib_sold = memory_mib_sold - 64 FROM gone g WHERE u.host_id = g.host_id
        """;

    [Fact]
    public async Task A_share_of_a_host_that_its_vm_is_not_on_is_given_back()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", host: "hv1"));
        var before = await WorldDump.OfAsync(world, process);
        Assert.Equal(1, await world.SqlAsync(Sell, process.Host("hv2").Value, vm.Id.Value));

        Assert.Equal([(FindingKind.StrayAllocation, true)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task A_share_is_kept_as_long_as_a_domain_that_may_not_be_ended_is_there()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", host: "hv1"));
        await process.StopAsync(vm.Id);
        Assert.Equal(1, await world.SqlAsync(Sell, process.Host("hv2").Value, vm.Id.Value));
        await process.PlantDomainAsync(process.Host("hv2"), vm.Id, vm.Generation);
        var before = await WorldDump.OfAsync(world, process);

        Assert.Equal([(FindingKind.StrayDomain, false), (FindingKind.StrayAllocation, false)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task A_vm_that_holds_nothing_of_its_host_takes_its_share()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1", AttachKind.Virtio));
        var before = await WorldDump.OfAsync(world, process);
        Assert.Equal(1, await world.SqlAsync(Forget, vm.Id.Value));

        Assert.Equal([(FindingKind.MissingAllocation, true)], await process.AuditAsync());

        Assert.Equal(before, await WorldDump.OfAsync(world, process));
    }

    [Fact]
    public async Task A_share_that_the_host_has_sold_to_others_meanwhile_is_told_of()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync();
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        await world.SqlAsync(Forget, vm.Id.Value);
        await world.SqlAsync("UPDATE host_usage SET vcpus_sold = vcpus_limit");

        Assert.Equal([(FindingKind.MissingAllocation, false)], await process.AuditAsync());

        Assert.Equal(VmState.Running, await process.StateAsync(vm.Id));
    }
}
