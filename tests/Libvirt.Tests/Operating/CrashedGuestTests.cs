using ControlPlane.Domain.Migrations;
using ControlPlane.Domain.Operations;
using ControlPlane.Domain.VirtualMachines;
using ControlPlane.Hypervisor;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Tests.Infrastructure;
using ControlPlane.Orchestration.Migrations;
using ControlPlane.Orchestration.Operations;
using ControlPlane.Orchestration.Tests;
using ControlPlane.Orchestration.VirtualMachines;
using ControlPlane.Persistence.Migrations;
using ControlPlane.Testing;
using ControlPlane.Testing.Libvirt;

namespace ControlPlane.Libvirt.Tests.Operating;

/// <summary>A guest that ends with its VMM while its migration may still be taken back.</summary>
[Collection(nameof(RigHosts))]
public sealed class CrashedGuestTests(RigHosts hosts)
{
    /// <summary>Carries less than the guest writes.</summary>
    private static readonly MigrationRequest Slow = MigrationRequest.Default with { BandwidthMiBPerSecond = 1, DowntimeLimit = TimeSpan.FromMilliseconds(1), Timeout = TimeSpan.FromHours(1) };

    private readonly FakeTime clock = new();

    /// <summary>This server's clock stands still, so it does not look at the copy before it is called back.</summary>
    [Fact]
    public Task A_guest_that_dies_while_it_is_copied_is_recorded_as_stopped_holds_what_it_held_and_starts_again() => RealHostsWorld.RunAsync(hosts, clock, async (world, process) =>
    {
        var vm = await world.RunVmAsync(process, GuestManner.DirtiesFast);
        var before = await world.DumpAsync(process);
        var (guest, begun) = await world.BeginMigrationAsync(process, vm.Id, Slow);
        await RealHostsWorld.UntilAsync(async () => await guest.SentBytesAsync() > 0, "the guest's memory is sent");

        await guest.KillAsync();
        await RealHostsWorld.UntilAsync(async () => await RealHostsWorld.StateOnAsync(world.Fleet.Source, vm.Id) == DomainState.Off, "the guest has ended");
        var operation = process.EndAsync(begun.Operation);
        await RealHostsWorld.PassUntilEndedAsync(clock, operation, "the migration is taken back");

        Assert.Equal(OperationState.Failed, (await operation).State);
        var migration = (await process.Get<MigrationStore>().FindAsync(begun.Id, default))!;
        Assert.Equal(MigrationState.RolledBack, migration.State);
        Assert.EndsWith("The guest has ended on the source: the VM is stopped.", migration.Failure, StringComparison.Ordinal);
        var stopped = await process.VmAsync(vm.Id);
        Assert.Equal((VmState.Stopped, vm.Host, null), (stopped.State, stopped.Host, stopped.Operation));
        Assert.Null(await RealHostsWorld.StateOnAsync(world.Fleet.Target, vm.Id));
        await process.SucceedAsync(await process.AskAsync((StartVirtualMachineHandler h) => h.HandleAsync(new StartVirtualMachine(vm.Id), default)));
        Assert.Equal(DomainState.Running, await RealHostsWorld.StateOnAsync(world.Fleet.Source, vm.Id));
        Assert.Equal(before, await world.DumpAsync(process));
    });
}
