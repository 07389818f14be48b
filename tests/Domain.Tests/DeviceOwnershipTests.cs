using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using FsCheck;
using FsCheck.Fluent;

namespace ControlPlane.Domain.Tests;

public sealed class DeviceOwnershipTests
{
    private static readonly VmId Alice = new(new Guid("00000000-0000-7000-8000-00000000000a"));
    private static readonly VmId Bob = new(new Guid("00000000-0000-7000-8000-00000000000b"));
    private static readonly DeviceOwner ForAlice = new(Alice, "net0");
    private static readonly DeviceOwner ForBob = new(Bob, "net0");

    [Fact]
    public void A_device_goes_from_free_to_attached_and_back_to_free_only_through_a_proof()
    {
        var reserved = Apply(DeviceOwnership.Unowned, new DeviceCommand.Reserve(ForAlice));
        var attached = Apply(reserved, new DeviceCommand.Attach(Alice, reserved.Generation));
        var draining = Apply(attached, new DeviceCommand.Drain(Alice, reserved.Generation));
        var cleaning = Apply(draining, new DeviceCommand.Clean(Alice, reserved.Generation));
        var free = Apply(cleaning, new DeviceCommand.ProveClean(reserved.Generation));

        Assert.Equal(DeviceState.Free, free.State);
        Assert.Null(free.Owner);
        Assert.Equal(reserved.Generation, free.Generation);
    }

    [Fact]
    public void An_attached_device_cannot_be_released_without_a_proof()
    {
        var reserved = Apply(DeviceOwnership.Unowned, new DeviceCommand.Reserve(ForAlice));
        var attached = Apply(reserved, new DeviceCommand.Attach(Alice, reserved.Generation));

        Assert.Equal(FaultKind.Conflict, attached.Apply(new DeviceCommand.Release(Alice, attached.Generation)).Fault?.Kind);
        Assert.Equal(FaultKind.Conflict, attached.Apply(new DeviceCommand.ProveClean(attached.Generation)).Fault?.Kind);
    }

    [Fact]
    public void Every_new_owner_gets_a_higher_generation_and_the_last_owners_clean_up_is_refused()
    {
        var first = Apply(DeviceOwnership.Unowned, new DeviceCommand.Reserve(ForAlice));
        var freed = Apply(first, new DeviceCommand.Release(Alice, first.Generation));
        var second = Apply(freed, new DeviceCommand.Reserve(ForBob));

        Assert.True(second.Generation > first.Generation);
        foreach (var late in OwnersCommands(Alice, first.Generation))
            Assert.Equal("device-state", second.Apply(late).Fault?.Code);
    }

    [Fact]
    public void A_failed_proof_quarantines_and_only_an_operator_brings_the_device_to_another_cleaning()
    {
        var cleaning = new DeviceOwnership(DeviceState.Cleaning, ForAlice, new Generation(3));
        var quarantined = Apply(cleaning, new DeviceCommand.Quarantine(new Generation(3), "reset failed: timeout"));

        Assert.Equal("reset failed: timeout", quarantined.QuarantineReason);
        Assert.Null(quarantined.Owner);
        Assert.Equal(FaultKind.Conflict, quarantined.Apply(new DeviceCommand.Reserve(ForBob)).Fault?.Kind);
        var again = Apply(quarantined, new DeviceCommand.ReleaseQuarantine());
        Assert.Equal(DeviceState.Cleaning, again.State);
        Assert.True(again.Generation > quarantined.Generation);
    }

    [Fact]
    public void A_free_device_that_is_found_unclean_is_quarantined_and_cleaned_under_a_generation_of_its_own()
    {
        var free = new DeviceOwnership(DeviceState.Free, null, new Generation(3));

        var quarantined = Apply(free, new DeviceCommand.Quarantine(new Generation(3), "still bound for a guest"));
        var cleaning = Apply(quarantined, new DeviceCommand.ReleaseQuarantine());

        Assert.Equal(FaultKind.Conflict, free.Apply(new DeviceCommand.Quarantine(new Generation(2), "late")).Fault?.Kind);
        Assert.Equal((DeviceState.Cleaning, new Generation(4)), (cleaning.State, cleaning.Generation));
        Assert.Equal(FaultKind.Conflict, cleaning.Apply(new DeviceCommand.ProveClean(new Generation(3))).Fault?.Kind);
    }

    [Fact]
    public void A_device_of_the_host_is_given_to_nobody()
    {
        Assert.Equal(FaultKind.Conflict, DeviceOwnership.HeldByHost.Apply(new DeviceCommand.Reserve(ForAlice)).Fault?.Kind);
    }

    [Fact]
    public void Whatever_is_asked_in_whatever_order_the_generation_never_falls_and_an_owner_stands_exactly_while_the_device_is_held()
    {
        var commands = Gen.Elements(
            (Func<DeviceOwnership, DeviceCommand>)(_ => new DeviceCommand.Reserve(ForAlice)), _ => new DeviceCommand.Reserve(ForBob),
            o => new DeviceCommand.Release(Alice, o.Generation), o => new DeviceCommand.Attach(Alice, o.Generation),
            o => new DeviceCommand.Drain(Alice, o.Generation), o => new DeviceCommand.Clean(Alice, o.Generation),
            o => new DeviceCommand.Attach(Bob, o.Generation), o => new DeviceCommand.Drain(Bob, o.Generation),
            o => new DeviceCommand.ProveClean(o.Generation), o => new DeviceCommand.Quarantine(o.Generation, "why"),
            _ => new DeviceCommand.ReleaseQuarantine(), _ => new DeviceCommand.TakeForHost(), _ => new DeviceCommand.GiveToGuests());

        Prop.ForAll(commands.ListOf(30).ToArbitrary(), asked =>
        {
            var now = DeviceOwnership.Unowned;
            foreach (var ask in asked)
            {
                var next = now.Apply(ask(now)).Match(o => o, _ => now);
                Assert.True(next.Generation >= now.Generation);
                Assert.True(now.Owner is null || next.Owner is null || now.Owner == next.Owner);
                if (next.State is DeviceState.Reserved or DeviceState.Attached or DeviceState.Draining)
                    Assert.NotNull(next.Owner);
                if (next.State is DeviceState.Free or DeviceState.Quarantined or DeviceState.Host)
                    Assert.Null(next.Owner);
                now = next;
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void A_replayed_command_changes_nothing()
    {
        var reserve = new DeviceCommand.Reserve(ForAlice);
        var reserved = Apply(DeviceOwnership.Unowned, reserve);
        Assert.Equal(reserved, Apply(reserved, reserve));

        var step = reserved;
        foreach (var command in new DeviceCommand[]
                 {
                     new DeviceCommand.Attach(Alice, reserved.Generation), new DeviceCommand.Drain(Alice, reserved.Generation),
                     new DeviceCommand.Clean(Alice, reserved.Generation), new DeviceCommand.ProveClean(reserved.Generation),
                 })
        {
            step = Apply(step, command);
            Assert.Equal(step, Apply(step, command));
        }
    }

    private static IEnumerable<DeviceCommand> OwnersCommands(VmId vm, Generation generation) =>
    [
        new DeviceCommand.Attach(vm, generation), new DeviceCommand.Drain(vm, generation), new DeviceCommand.Clean(vm, generation),
        new DeviceCommand.Release(vm, generation), new DeviceCommand.ProveClean(generation), new DeviceCommand.Quarantine(generation, "late"),
    ];

    private static DeviceOwnership Apply(DeviceOwnership ownership, DeviceCommand command) => ownership.Apply(command).Value;
}
