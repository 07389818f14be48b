using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>A domain's life: defined, started, paused, rebooted, stopped, forgotten.</summary>
public abstract class DomainSpecification : HypervisorSpecification
{
    /// <summary>A guest hears its power button once it has booted, which takes long on a busy machine.</summary>
    private static readonly TimeSpan BootPatience = TimeSpan.FromMinutes(3);

    [Fact]
    public Task A_defined_domain_is_known_and_off() => OnFleet(async fleet =>
    {
        var definition = NewDefinition(fleet);

        Ok(await fleet.Source.DefineAsync(definition, Ct));

        var status = Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct));
        Assert.Equal(DomainState.Off, status?.State);
        Assert.Equal(definition.Name, status?.Name);
    });

    [Fact]
    public Task Defining_starting_and_forgetting_can_each_be_repeated() => OnFleet(async fleet =>
    {
        var definition = NewDefinition(fleet);
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
        Ok(await fleet.Source.DefineAsync(definition, Ct));
        Ok(await fleet.Source.StartAsync(definition.Ref, Ct));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));

        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));
        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));
        Assert.Equal(DomainState.Off, await StateOf(fleet.Source, definition.Ref.Vm));

        Ok(await fleet.Source.UndefineAsync(definition.Ref, DiskFate.Delete, Ct));
        Ok(await fleet.Source.UndefineAsync(definition.Ref, DiskFate.Delete, Ct));
        Assert.Null(await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task A_running_domain_is_neither_forgotten_nor_redefined() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet);

        Refused("domain-running", await fleet.Source.UndefineAsync(definition.Ref, DiskFate.Delete, Ct));
        Refused("domain-running", await fleet.Source.DefineAsync(definition with { Vcpus = 2 }, Ct));

        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task A_domain_that_is_off_takes_a_new_definition() => OnFleet(async fleet =>
    {
        var definition = NewDefinition(fleet);
        Ok(await fleet.Source.DefineAsync(definition, Ct));

        Ok(await fleet.Source.DefineAsync(definition with { Name = "renamed" }, Ct));

        Assert.Equal("renamed", Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct))?.Name);
    });

    [Fact]
    public Task An_unknown_domain_cannot_be_started_but_is_already_off_and_forgotten() => OnFleet(async fleet =>
    {
        var unknown = NewDefinition(fleet).Ref;

        Refused("domain-not-found", await fleet.Source.StartAsync(unknown, Ct));
        Ok(await fleet.Source.DestroyAsync(unknown, Ct));
        Ok(await fleet.Source.UndefineAsync(unknown, DiskFate.Delete, Ct));
        Assert.Null(Ok(await fleet.Source.FindDomainAsync(unknown.Vm, Ct)));
    });

    [Fact]
    public Task Pausing_and_resuming_are_each_done_once() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet);

        Ok(await fleet.Source.PauseAsync(definition.Ref, Ct));
        Ok(await fleet.Source.PauseAsync(definition.Ref, Ct));
        Assert.Equal(DomainState.Paused, await StateOf(fleet.Source, definition.Ref.Vm));

        Ok(await fleet.Source.ResumeAsync(definition.Ref, Ct));
        Ok(await fleet.Source.ResumeAsync(definition.Ref, Ct));
        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
    });

    [Fact]
    public Task A_domain_that_is_off_is_neither_paused_nor_rebooted() => OnFleet(async fleet =>
    {
        var definition = NewDefinition(fleet);
        Ok(await fleet.Source.DefineAsync(definition, Ct));

        Refused("domain-not-running", await fleet.Source.PauseAsync(definition.Ref, Ct));
        Refused("domain-not-running", await fleet.Source.ResumeAsync(definition.Ref, Ct));
        Refused("domain-not-running", await fleet.Source.RebootAsync(definition.Ref, Ct));
    });

    [Fact]
    public Task A_reboot_leaves_the_domain_running_with_its_devices() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);

        Ok(await fleet.Source.RebootAsync(At(definition.Ref, 2), Ct));
        Ok(await fleet.Source.RebootAsync(At(definition.Ref, 2), Ct));

        var status = Ok(await fleet.Source.FindDomainAsync(definition.Ref.Vm, Ct));
        Assert.Equal(DomainState.Running, status?.State);
        Assert.Equal(definition.Devices[0].Claim, Assert.Single(status!.Devices).Claim);
    });

    [Fact]
    public Task A_guest_that_is_asked_to_power_off_is_off_within_the_timeout() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet);

        Assert.True(Ok(await fleet.Source.ShutdownAsync(definition.Ref, BootPatience, Ct)));
        Assert.Equal(DomainState.Off, await StateOf(fleet.Source, definition.Ref.Vm));
        Assert.True(Ok(await fleet.Source.ShutdownAsync(definition.Ref, BootPatience, Ct)));
    });

    [Fact]
    public Task A_domain_that_was_stopped_starts_again() => OnFleet(async fleet =>
    {
        var definition = await RunWithDevice(fleet);
        Ok(await fleet.Source.DestroyAsync(definition.Ref, Ct));
        await Task.Delay(TimeSpan.FromSeconds(1), fleet.Time, Ct);

        Ok(await fleet.Source.StartAsync(At(definition.Ref, 2), Ct));

        Assert.Equal(DomainState.Running, await StateOf(fleet.Source, definition.Ref.Vm));
    });
}
