using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.VirtualMachines;

namespace ControlPlane.Domain.Tests;

public sealed class TransitionTests
{
    public static TheoryData<VmState, VmCommand> EveryVmMove => Every<VmState, VmCommand>();

    public static TheoryData<HostState, HostCommand> EveryHostMove => Every<HostState, HostCommand>();

    [Theory]
    [MemberData(nameof(EveryVmMove))]
    public void A_vm_move_is_either_in_the_table_or_a_conflict_that_names_both(VmState state, VmCommand command)
    {
        var moved = state.Apply(command);

        if (moved.Fault is { } fault)
        {
            Assert.Equal((FaultKind.Conflict, "vm-state"), (fault.Kind, fault.Code));
            Assert.Contains(state.ToString().ToLowerInvariant(), fault.Detail);
            Assert.Contains(command.ToString().ToLowerInvariant(), fault.Detail);
        }
        else
            Assert.True(Enum.IsDefined(moved.Value));
    }

    [Theory]
    [MemberData(nameof(EveryHostMove))]
    public void A_host_move_that_is_replayed_gives_the_same_state(HostState state, HostCommand command)
    {
        var once = state.Apply(command);
        if (once.Succeeded)
            Assert.Equal(once.Value, once.Value.Apply(command).Value);
        else
            Assert.Equal("host-state", once.Fault.Code);
    }

    [Theory]
    [InlineData(VmState.Pending)]
    [InlineData(VmState.Starting)]
    [InlineData(VmState.Stopping)]
    [InlineData(VmState.Migrating)]
    [InlineData(VmState.Deleting)]
    [InlineData(VmState.Failed)]
    public void Nothing_but_a_running_vm_migrates(VmState state) => Assert.NotNull(state.Apply(VmCommand.Migrate).Fault);

    [Fact]
    public void A_failed_vm_can_only_be_deleted()
    {
        var possible = Enum.GetValues<VmCommand>().Where(c => VmState.Failed.Apply(c).Succeeded);
        Assert.Equal([VmCommand.Delete, VmCommand.CreateFailed], possible);
    }

    [Fact]
    public void A_host_that_comes_back_stays_in_maintenance_when_it_was_cordoned()
    {
        Assert.Equal(HostState.Maintenance, HostState.Down.Apply(HostCommand.Connected, cordoned: true).Value);
        Assert.Equal(HostState.Up, HostState.Down.Apply(HostCommand.Connected, cordoned: false).Value);
    }

    [Fact]
    public void Only_a_host_that_is_up_takes_new_vms() =>
        Assert.Equal([HostState.Up], Enum.GetValues<HostState>().Where(s => s.AcceptsVms()));

    private static TheoryData<TState, TCommand> Every<TState, TCommand>()
        where TState : struct, Enum
        where TCommand : struct, Enum
    {
        var data = new TheoryData<TState, TCommand>();
        foreach (var state in Enum.GetValues<TState>())
            foreach (var command in Enum.GetValues<TCommand>())
                data.Add(state, command);
        return data;
    }
}
