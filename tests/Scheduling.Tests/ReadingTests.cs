using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Pci;
using ControlPlane.Scheduling.Placements;
using ControlPlane.Scheduling.Tests.Fleets;

namespace ControlPlane.Scheduling.Tests;

/// <summary>Memory is replaced by what was read, while the fleet goes on changing.</summary>
public sealed class ReadingTests
{
    private readonly TestFleet fleet = new();
    private readonly TestHost host;
    private readonly DevicePool pool;

    public ReadingTests()
    {
        host = fleet.AddHost().WithNic(0x41, 2);
        pool = fleet.AddPool();
        fleet.Allocate(new VmAllocation(Ids.Vm(9), Ids.Project, host.Id, new HostShare(4, 512), [], "web"));
    }

    [Fact]
    public void What_a_reading_does_not_show_is_gone()
    {
        var other = fleet.AddHost().WithNic(0x41, 1);
        var snapshot = fleet.Told();
        fleet.Hosts.Remove(other);
        fleet.Deallocate(Ids.Vm(9), host.Id);
        var (vanished, _) = host.Devices.Last();
        host.Devices.Remove(vanished);

        using var reading = snapshot.BeginReading();
        Assert.False(Replace(reading));
        reading.Retain(new HashSet<Domain.HostId> { host.Id });

        Assert.Equal(fleet.Told().Describe(), snapshot.Describe());
    }

    [Fact]
    public void What_was_said_while_it_was_read_is_not_undone()
    {
        var snapshot = fleet.Told();
        using var reading = snapshot.BeginReading();
        var late = fleet.AddHost();
        snapshot.UpsertHost(late.Record);
        snapshot.RemoveAllocation(Ids.Vm(9), host.Id);
        snapshot.UpsertAllocation(new VmAllocation(Ids.Vm(8), Ids.Project, host.Id, new HostShare(2, 256), [], null));
        var free = host.Devices.Values.First(d => d.Ownership.State == DeviceState.Free);
        var taken = new DeviceOwnership(DeviceState.Reserved, new DeviceOwner(Ids.Vm(8), "dev"), free.Ownership.Generation.Next());
        snapshot.SetOwnership(host.Id, free.Address, taken);
        var believed = snapshot.Describe();

        Assert.True(Replace(reading));
        reading.Retain(new HashSet<Domain.HostId> { host.Id });

        Assert.Equal(believed, snapshot.Describe());
    }

    [Fact]
    public void A_host_that_was_removed_while_it_was_read_stays_removed()
    {
        var snapshot = fleet.Told();
        using var reading = snapshot.BeginReading();
        snapshot.RemoveHost(host.Id);

        Assert.True(Replace(reading));

        Assert.DoesNotContain(snapshot.Describe(), line => line.StartsWith("host", StringComparison.Ordinal) || line.StartsWith("allocation", StringComparison.Ordinal));
    }

    [Fact]
    public void A_reservation_under_way_outlives_every_reading_until_it_is_given_back()
    {
        var snapshot = fleet.Told();
        var before = snapshot.Describe();
        var placement = snapshot.Reserve(TestFleet.Request(1, 2) with { Devices = TestFleet.Want(pool, 2) }).Value;
        var reserved = snapshot.Describe();
        Assert.NotEqual(before, reserved);

        for (var i = 0; i < 2; i++)
        {
            using var reading = snapshot.BeginReading();
            Assert.False(Replace(reading));
            Assert.Equal(reserved, snapshot.Describe());
        }
        snapshot.Release(placement);

        Assert.Equal(before, snapshot.Describe());
    }

    [Fact]
    public void A_reservation_that_is_confirmed_while_it_is_read_is_kept_and_one_of_before_is_what_the_reading_says()
    {
        var snapshot = fleet.Told();
        var placement = snapshot.Reserve(TestFleet.Request(1, 2) with { Devices = TestFleet.Want(pool, 2) }).Value;
        var reserved = snapshot.Describe();
        using (var reading = snapshot.BeginReading())
        {
            snapshot.Confirm(placement);
            Assert.True(Replace(reading));
            Assert.Equal(reserved, snapshot.Describe());
        }

        // By now the commit is older than the reading, which does not show it: another server has taken it back.
        using var later = snapshot.BeginReading();
        Assert.False(Replace(later));

        Assert.Equal(fleet.Told().Describe(), snapshot.Describe());
    }

    [Fact]
    public void A_device_that_the_truth_gave_to_another_is_not_taken_back_by_a_reservation_that_will_be_refused()
    {
        var snapshot = fleet.Told();
        var placement = snapshot.Reserve(TestFleet.Request(1, 2) with { Devices = TestFleet.Want(pool, 2) }).Value;
        foreach (var claim in placement.Claims)
            host.Change(claim.Address, d => d with { Ownership = new DeviceOwnership(DeviceState.Reserved, new DeviceOwner(Ids.Vm(7), "dev"), claim.Reserved) });

        using var reading = snapshot.BeginReading();
        Replace(reading);
        snapshot.Release(placement);

        Assert.Equal(fleet.Told().Describe(), snapshot.Describe());
    }

    [Fact]
    public void A_host_as_it_was_before_does_not_replace_what_is_newer()
    {
        var snapshot = fleet.Told();
        var old = host.Record;
        host.With(h => h with { Cordoned = true, Generation = h.Generation.Next() });
        snapshot.UpsertHost(host.Record);

        snapshot.UpsertHost(old);

        Assert.Equal(fleet.Told().Describe(), snapshot.Describe());
    }

    /// <summary>Of the fleet as the database holds it.</summary>
    private bool Replace(FleetReading reading) => reading.Replace(host.Record, [.. host.Devices.Values], fleet.Allocations.Where(a => a.Host == host.Id));
}
