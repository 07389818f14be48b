using ControlPlane.Domain;
using ControlPlane.Hypervisor.Emulated.Faults;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Faults;

/// <summary>Faults on demand do what they say, once, and where they say.</summary>
public sealed class FaultPlanTests : EmulatedTest
{
    private static readonly Fault Planned = Fault.Unavailable("planned", "As planned.");

    [Fact]
    public Task The_nth_call_of_a_kind_fails_and_does_nothing() => OnTestFleet(async fleet =>
    {
        fleet.Fleet.Faults.Fail(HypervisorCall.Define, Planned, nth: 2);
        Ok(await fleet.Source.DefineAsync(NewDefinition(fleet), Ct));
        var second = NewDefinition(fleet);

        Refused("planned", await fleet.Source.DefineAsync(second, Ct));
        Assert.Null(await StateOf(fleet.Source, second.Ref.Vm));
        Ok(await fleet.Source.DefineAsync(second, Ct));
    });

    [Fact]
    public Task A_fault_for_one_host_leaves_the_other_alone() => OnTestFleet(async fleet =>
    {
        fleet.Fleet.Faults.Fail(HypervisorCall.Ping, Planned, host: fleet.Target.Host);

        Ok(await fleet.Source.PingAsync(Ct));
        Refused("planned", await fleet.Target.PingAsync(Ct));
        Ok(await fleet.Target.PingAsync(Ct));
    });

    [Fact]
    public Task A_dropped_answer_is_lost_after_the_work_was_done() => OnTestFleet(async fleet =>
    {
        var definition = NewDefinition(fleet);
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        fleet.Fleet.Faults.DropAnswer(HypervisorCall.Start);

        Assert.Equal(FaultKind.Unavailable, (await fleet.Source.StartAsync(definition.Ref, Ct)).Fault?.Kind);

        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
    });

    [Fact]
    public Task A_delayed_call_begins_later() => OnTestFleet(async fleet =>
    {
        fleet.Fleet.Faults.Delay(HypervisorCall.Ping, TimeSpan.FromSeconds(7));
        var asked = fleet.Time.GetUtcNow();

        Ok(await fleet.Source.PingAsync(Ct));

        Assert.InRange(fleet.Time.GetUtcNow() - asked, TimeSpan.FromSeconds(7), TimeSpan.FromSeconds(7.1));
    });

    [Theory]
    [InlineData(true, DomainState.Off)]
    [InlineData(false, null)]
    public Task A_host_dies_before_or_after_the_work(bool after, DomainState? expected) => OnTestFleet(async fleet =>
    {
        if (after)
            fleet.Fleet.Faults.CrashAfter(HypervisorCall.Define);
        else
            fleet.Fleet.Faults.CrashBefore(HypervisorCall.Define);
        var definition = NewDefinition(fleet);

        Assert.Equal(FaultKind.Unavailable, (await fleet.Source.DefineAsync(definition, Ct)).Fault?.Kind);
        Assert.Equal(FaultKind.Unavailable, (await fleet.Source.PingAsync(Ct)).Fault?.Kind);
        await fleet.ReviveAsync(fleet.Source);

        Assert.Equal(expected, await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task A_cleared_plan_lets_everything_pass() => OnTestFleet(async fleet =>
    {
        fleet.Fleet.Faults.Fail(HypervisorCall.Ping, Planned);
        fleet.Fleet.Faults.Clear();

        Ok(await fleet.Source.PingAsync(Ct));
    });

    [Fact]
    public Task Each_call_of_the_port_can_be_made_to_fail() => OnTestFleet(async fleet =>
    {
        var port = typeof(IHypervisor).GetMethods().Concat(typeof(IMigrationPort).GetMethods()).Concat(typeof(IStatisticsPort).GetMethods())
            .Select(m => m.Name).Where(n => n.EndsWith("Async", StringComparison.Ordinal)).Select(n => n[..^5]).Except(["Watch"]);

        Assert.Equal(port.Order(), Enum.GetNames<HypervisorCall>().Order());
        Ok(await fleet.Source.PingAsync(Ct));
    });
}
