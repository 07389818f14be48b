using ControlPlane.Domain;
using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Infrastructure;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Tests;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Testing;
using ControlPlane.Testing.Libvirt;

namespace ControlPlane.Libvirt.Tests.Operating;

/// <summary>
/// A guest that writes half a MiB again and again, over a link that carries one MiB a second: it could go over only with a stop of half a second. What is done
/// about it is seen in its QEMU.
/// </summary>
[Collection(nameof(RigHosts))]
public sealed class ConvergenceTests(RigHosts hosts)
{
    /// <summary>Less than the guest would need, in rungs of 25 ms.</summary>
    private static readonly MigrationRequest TooShort = MigrationRequest.Default with { BandwidthMiBPerSecond = 1, DowntimeLimit = TimeSpan.FromMilliseconds(100), Timeout = TimeSpan.FromHours(1) };

    /// <summary>The first is what holds a copy that nobody has let go yet.</summary>
    private static readonly int[] Rungs = [1, 25, 50, 75, 100];

    private readonly FakeTime clock = new();

    [Fact]
    public Task A_guest_that_writes_more_than_the_link_carries_is_held_back_and_may_be_stopped_longer_rung_by_rung() => RealHostsWorld.RunAsync(hosts, null, async (world, process) =>
    {
        var (vm, guest, begun) = await BeginAsync(world, process);

        var seen = await UntilPressedAsync(guest, () => { });

        Assert.Equal(seen.Order(), seen);
        Assert.Subset(Rungs.ToHashSet(), seen.ToHashSet());
        // With more of a link it goes over with what it may be stopped for.
        await hosts.First.RequireVirshAsync(["migrate-setspeed", $"cp-{vm}", "1000"], default);
        var operation = await process.EndAsync(begun.Operation);
        Assert.Equal((OperationState.Succeeded, null), (operation.State, operation.Error));
        Assert.Equal((null, DomainState.Running), (await RealHostsWorld.StateOnAsync(world.Fleet.Source, vm), await RealHostsWorld.StateOnAsync(world.Fleet.Target, vm)));
    });

    [Fact]
    public Task A_guest_that_does_not_go_over_in_the_migrations_time_stays_on_the_source_and_the_reason_is_said() => RealHostsWorld.RunAsync(hosts, clock, async (world, process) =>
    {
        var (vm, guest, begun) = await BeginAsync(world, process);
        await UntilPressedAsync(guest, () => clock.Advance(TimeSpan.FromSeconds(1)));

        clock.Advance(TooShort.Timeout);
        var ended = process.EndAsync(begun.Operation);
        await RealHostsWorld.PassUntilEndedAsync(clock, ended, "the migration is given up");

        Assert.Equal(OperationState.Failed, (await ended).State);
        var migration = (await process.Get<MigrationStore>().FindAsync(begun.Id, default))!;
        Assert.Equal(MigrationState.RolledBack, migration.State);
        Assert.StartsWith("The guest did not go over within the 3600 s of the migration; it writes ", migration.Failure, StringComparison.Ordinal);
        Assert.EndsWith("The VM runs on the source.", migration.Failure, StringComparison.Ordinal);
        var stayed = await process.VmAsync(vm);
        Assert.Equal((VmState.Running, process.Host(hosts.First.Name), null), (stayed.State, stayed.Host!.Value, stayed.Operation));
        Assert.Equal((DomainState.Running, null), (await RealHostsWorld.StateOnAsync(world.Fleet.Source, vm), await RealHostsWorld.StateOnAsync(world.Fleet.Target, vm)));
        await RealHostsWorld.UntilAsync(async () => await guest.ThrottlePercentAsync() == 0, "the guest is held back no more");
    });

    private static async Task<(VmId Vm, GuestProcess Guest, Domain.Migrations.Migration Begun)> BeginAsync(RealHostsWorld world, ServerProcess process)
    {
        var vm = await world.RunVmAsync(process, GuestManner.DirtiesFast);
        var (guest, begun) = await world.BeginMigrationAsync(process, vm.Id, TooShort);
        return (vm.Id, guest, begun);
    }

    /// <summary>Until QEMU holds the guest's processors back and may stop it for all that the migration allows.</summary>
    /// <returns>What it might be stopped for meanwhile, in milliseconds, each once.</returns>
    private static async Task<IReadOnlyList<int>> UntilPressedAsync(GuestProcess guest, Action meanwhile)
    {
        var seen = new List<int>();
        var throttle = 0;
        await RealHostsWorld.UntilAsync(async () =>
        {
            meanwhile();
            var isCopied = await guest.SentBytesAsync() is not null;
            Assert.True(isCopied || seen.Count == 0, $"The copy has ended before the guest was pressed; it might be stopped for {string.Join(", ", seen)} ms.");
            if (!isCopied || await guest.DowntimeLimitAsync() is not { } limit)
                return false;
            var milliseconds = (int)limit.TotalMilliseconds;
            if (seen.Count == 0 || seen[^1] != milliseconds)
                seen.Add(milliseconds);
            throttle = await guest.ThrottlePercentAsync();
            return limit == TooShort.DowntimeLimit && throttle >= RealHostsWorld.LeastThrottlePercent;
        }, () => $"the guest is pressed; it might be stopped for {string.Join(", ", seen)} ms, and is held back by {throttle} %");
        return seen;
    }
}
