using System.Diagnostics.Metrics;
using ControlPlane.Domain.Hosts;
using ControlPlane.Domain.Migrations;
using ControlPlane.Persistence.Schema;
using ControlPlane.Sagas;

namespace ControlPlane.Orchestration;

/// <summary>
/// What an operator watches of the fleet itself, for <c>/metrics</c>: hosts by state, operations by how they ended and how long they
/// took, and of each migration the guest's pause and the silence of its interfaces.
/// </summary>
public sealed class FleetMetrics : IDisposable
{
    private readonly Meter meter = new("ControlPlane.Fleet");
    private readonly Histogram<double> operations;
    private readonly Counter<long> migrations;
    private readonly Histogram<double> downtimes;
    private readonly Histogram<double> gaps;
    private SagaRunner? runner;

    public FleetMetrics(FleetDirectory fleet)
    {
        meter.CreateObservableGauge("controlplane.hosts", () => HostsByState(fleet), description: "Hosts, by state.");
        meter.CreateObservableGauge("controlplane.sagas.held", () => runner?.HeldCount ?? 0, description: "Operations under way on this server.");
        operations = meter.CreateHistogram<double>(
            "controlplane.operation.duration", "s", "From the acceptance of an operation to its rest, by kind and by how its saga rests.");
        migrations = meter.CreateCounter<long>("controlplane.migrations.ended", description: "Migrations that have ended, by state.");
        downtimes = meter.CreateHistogram<double>("controlplane.migration.downtime", "s", "The guest's pause at the switch-over.");
        gaps = meter.CreateHistogram<double>(
            "controlplane.migration.interface.gap", "s", "The longest silence of an interface during a migration, by the method of its device.");
    }

    /// <summary>Counts what comes to rest on this server from now on.</summary>
    public void Watch(SagaRunner watched)
    {
        runner = watched;
        watched.SagaAtRest += rested => operations.Record(
            (rested.UpdatedAt - rested.CreatedAt).TotalSeconds, Tag("kind", rested.Kind), Tag("status", KebabEnum<SagaStatus>.Write(rested.Status)));
    }

    internal void MigrationEnded(Migration migration)
    {
        migrations.Add(1, Tag("state", KebabEnum<MigrationState>.Write(migration.State)));
        if (migration.Transfer.Downtime is { } downtime)
            downtimes.Record(downtime.TotalSeconds);
        foreach (var device in migration.Devices)
        {
            if (device.Gap is { } gap)
                gaps.Record(gap.TotalSeconds, Tag("method", KebabEnum<DeviceMethod>.Write(device.Method)));
        }
    }

    public void Dispose() => meter.Dispose();

    private static IEnumerable<Measurement<int>> HostsByState(FleetDirectory fleet)
    {
        var counts = fleet.Hosts.CountBy(host => host.State).ToDictionary();
        // A state that no host is in is told too: an alert on a series that vanishes does not fire.
        return Enum.GetValues<HostState>().Select(state => new Measurement<int>(counts.GetValueOrDefault(state), Tag("state", KebabEnum<HostState>.Write(state))));
    }

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, value);
}
