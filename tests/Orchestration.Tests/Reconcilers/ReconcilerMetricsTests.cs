using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using ControlPlane.Domain;
using ControlPlane.Orchestration.Reconcilers;

namespace ControlPlane.Orchestration.Tests.Reconcilers;

/// <summary>What the reconcilers count is what happened.</summary>
public sealed class ReconcilerMetricsTests
{
    [Fact]
    public async Task Hosts_that_are_lost_and_return_are_counted_once_each_and_findings_by_kind()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        using var counted = new Counts(process.Get<ReconcilerMetrics>().Meter);
        await process.RunVmAsync(process.Draft("web-1"));
        world.Hypervisors.Crash(process.Host("hv1"));
        for (var i = 0; i < ReconcilerOptions.Default.SilentPingsMax + 2; i++)
            await process.Get<HostHeartbeat>().RunAsync(default);
        Assert.Equal(["controlplane.hosts.lost"], counted.All);

        world.Hypervisors.Revive(process.Host("hv1"));
        await process.Get<HostHeartbeat>().RunAsync(default);
        await process.Get<HostHeartbeat>().RunAsync(default);

        Assert.Equal(
            ["controlplane.audit.findings kind=guest-off repaired=true", "controlplane.hosts.lost", "controlplane.hosts.returned"], counted.All.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_finding_that_is_left_to_people_is_counted_as_such()
    {
        await using var world = await ControlPlaneWorld.CreateAsync(emulation: Audits.Emulation);
        await using var process = await world.StartFleetAsync(hosts: 1);
        using var counted = new Counts(process.Get<ReconcilerMetrics>().Meter);
        var vm = await process.RunVmAsync(process.Draft("web-1"));
        await process.StopAsync(vm.Id);
        Assert.Null((await (await process.HypervisorAsync(vm.Host!.Value)).StartAsync((await process.VmAsync(vm.Id)).Ref(), default)).Fault);

        await process.AuditAsync();

        Assert.Equal(["controlplane.audit.findings kind=guest-runs repaired=false"], counted.All);
    }

    private sealed class Counts : IDisposable
    {
        private readonly MeterListener listener = new();
        private readonly ConcurrentQueue<string> seen = new();

        public Counts(Meter meter)
        {
            listener.InstrumentPublished = (instrument, l) =>
            {
                if (instrument.Meter == meter)
                    l.EnableMeasurementEvents(instrument);
            };
            listener.SetMeasurementEventCallback<long>((instrument, amount, tags, _) =>
            {
                var text = tags.ToArray().Aggregate(instrument.Name, (name, tag) => $"{name} {tag.Key}={tag.Value}");
                for (var i = 0; i < amount; i++)
                    seen.Enqueue(text);
            });
            listener.Start();
        }

        public IEnumerable<string> All => seen;

        public void Dispose() => listener.Dispose();
    }
}
