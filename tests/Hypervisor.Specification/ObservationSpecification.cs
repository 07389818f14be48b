using ControlPlane.Domain.Pci;
using Xunit;

namespace ControlPlane.Hypervisor.Specification;

/// <summary>What a host shows of itself and tells by itself.</summary>
public abstract class ObservationSpecification : HypervisorSpecification
{
    [Fact]
    public Task A_host_answers_and_shows_its_hardware() => OnFleet(async fleet =>
    {
        Ok(await fleet.Source.PingAsync(Ct));

        var inventory = Ok(await fleet.Source.ReadInventoryAsync(Ct));
        Assert.True(inventory.Capacity.Vcpus > 0);
        Assert.Equal(inventory.Functions.Count, inventory.Functions.Select(f => f.Address).Distinct().Count());
        Assert.True((await VirtualFunctionsOf(fleet, fleet.Source)).Count >= 2);
        Assert.NotEqual(fleet.Source.Host, fleet.Target.Host);
    });

    [Fact]
    public Task All_domains_are_listed_and_only_where_they_are() => OnFleet(async fleet =>
    {
        var definitions = new[] { await Run(fleet), NewDefinition(fleet) };
        Ok(await fleet.Source.DefineAsync(definitions[1], Ct));

        var listed = Ok(await fleet.Source.ListDomainsAsync(Ct));

        Assert.Equal(
            definitions.Select(d => d.Ref.Vm).OrderBy(v => v.Value), listed.Select(d => d.Ref.Vm).OrderBy(v => v.Value));
        Assert.Empty(Ok(await fleet.Target.ListDomainsAsync(Ct)));
    });

    [Fact]
    public Task Counters_are_told_of_the_host_and_of_each_domain_where_it_is() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet);

        Assert.NotEmpty(Ok(await fleet.Source.Statistics.ReadHostStatisticsAsync(Ct)).Groups);
        Assert.NotEmpty(Ok(await fleet.Source.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct)).Groups);
        Refused("domain-not-found", await fleet.Target.Statistics.ReadDomainStatisticsAsync(definition.Ref.Vm, Ct));
    });

    [Fact]
    public Task A_listed_domain_carries_its_newest_epoch() => OnFleet(async fleet =>
    {
        var definition = await Run(fleet);
        Ok(await fleet.Source.PauseAsync(At(definition.Ref, 9), Ct));

        Assert.Equal(At(definition.Ref, 9), Assert.Single(Ok(await fleet.Source.ListDomainsAsync(Ct))).Ref);
    });

    [Fact]
    public Task Devices_that_nobody_was_given_are_not_listed() => OnFleet(async fleet =>
    {
        Assert.Empty(Ok(await fleet.Source.ListDevicesAsync(Ct)));

        var claim = new DeviceClaim(await FirstVirtualFunction(fleet, fleet.Source), First);
        Ok(await fleet.Source.PrepareDeviceAsync(claim, NewVm(), SettingsFor(1), Ct));

        Assert.Equal(claim, Assert.Single(Ok(await fleet.Source.ListDevicesAsync(Ct))).Claim);
    });

    [Fact]
    public Task A_change_of_functions_is_told() => OnFleet(async fleet =>
    {
        await using var events = fleet.Source.WatchAsync(Ct).GetAsyncEnumerator(Ct);
        var next = events.MoveNextAsync();

        Ok(await fleet.Source.SetVirtualFunctionCountAsync(fleet.PhysicalFunction(fleet.Source), 1, Ct));

        Assert.True(await next);
        Assert.IsType<HypervisorEvent.InventoryChanged>(events.Current);
    });
}
