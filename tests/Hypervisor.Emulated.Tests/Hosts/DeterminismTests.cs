using ControlPlane.Hypervisor.Emulated.Time;
using System.Text;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;
using ControlPlane.Hypervisor.Specification;

namespace ControlPlane.Hypervisor.Emulated.Tests.Hosts;

/// <summary>One seed, one course of events.</summary>
public sealed class DeterminismTests : EmulatedTest
{
    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(4711)]
    public void The_same_seed_gives_the_same_trace(int seed) => Assert.Equal(Trace(seed), Trace(seed));

    [Fact]
    public void Another_seed_gives_another_trace() => Assert.NotEqual(Trace(1), Trace(2));

    /// <summary>A migration, with everything that is drawn or measured on its way.</summary>
    private static string Trace(int seed)
    {
        var trace = new StringBuilder();
        var probe = new Course();
        using var fleet = new FleetOf(seed);
        fleet.Run(async f =>
        {
            var definition = await probe.Start(f);
            var gaps = await probe.Migrate(f, definition, progress => trace.AppendLine($"{f.Time.GetUtcNow():O} {progress}"));
            foreach (var gap in gaps)
                trace.AppendLine($"{f.Time.GetUtcNow():O} {gap}");
            foreach (var host in new[] { f.Source, f.Target })
                trace.AppendLine($"{ModelOf(host).Iommu.WriteCount} {ModelOf(host).Iommu.FaultCount}");
        });
        return trace.ToString();
    }

    private sealed class FleetOf(int seed) : IDisposable
    {
        private readonly TestFleet fleet = new(options: new EmulationOptions { Seed = (ulong)seed });

        public void Run(Func<TestFleet, Task> course) => new VirtualTimeLoop(fleet.Virtual).Run(() => course(fleet));

        public void Dispose() => fleet.Fleet.Dispose();
    }

    private sealed class Course : EmulatedTest
    {
        protected override ISpecificationFleet NewFleet() => throw new NotSupportedException("The fleet comes from outside.");

        public async Task<DomainDefinition> Start(TestFleet fleet)
        {
            var device = Device(await FirstVirtualFunction(fleet, fleet.Source));
            var definition = Labelled(NewDefinition(fleet, devices: device), (GuestLabels.DirtyMiBPerSecond, "40"), (GuestLabels.WorkingSetMiB, "48"));
            return await Launch(fleet, definition with { Interfaces = [Standby()] });
        }

        public async Task<IReadOnlyList<InterfaceGap>> Migrate(TestFleet fleet, DomainDefinition definition, Action<CopyProgress> note)
        {
            var began = fleet.Time.GetUtcNow();
            await Pass(fleet, 10);
            var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition with { Devices = [] }, Ct));
            Ok(await fleet.Source.UnplugAsync(definition.Ref, "net0", Patience, Ct));
            Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, PreCopy with { BandwidthMiBPerSecond = 100, DowntimeLimit = TimeSpan.FromMilliseconds(150) }, Ct));
            for (var poll = 0; poll < 40; poll++)
            {
                note(Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)));
                await Pass(fleet, 0.1);
            }
            Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));
            note(Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)));
            return Ok(await fleet.Target.Migration.MeasureGapsAsync(definition.Ref, began, Ct));
        }
    }
}
