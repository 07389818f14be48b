using System.Globalization;
using ControlPlane.Domain.Migrations;
using ControlPlane.Hypervisor.Emulated.Guests;
using ControlPlane.Hypervisor.Emulated.Tests.Infrastructure;

namespace ControlPlane.Hypervisor.Emulated.Tests.Migration;

/// <summary>What is predicted before a migration is what happens.</summary>
public sealed class ForecastTests : EmulatedTest
{
    private const int Runs = 1000;
    private const double Tolerance = 0.20;
    private const double Share = 0.90;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(5);

    private protected override EmulationOptions Options => EmulationOptions.Fast with { LinkMiBPerSecond = 1150 };

    [Fact]
    public Task Total_time_and_downtime_are_within_a_fifth_of_the_outlook_in_nine_of_ten_of_1000_seeded_runs() => OnTestFleet(async fleet =>
    {
        var random = new Random(20261121);
        var (total, downtime) = (0, 0);
        for (var run = 0; run < Runs; run++)
        {
            var (outlook, measured) = await Move(fleet, random);
            total += IsClose(outlook.Total, measured.Total) ? 1 : 0;
            downtime += IsClose(outlook.Downtime, measured.Downtime) ? 1 : 0;
        }

        Assert.True(total >= Share * Runs, $"{total} of {Runs} totals");
        Assert.True(downtime >= Share * Runs, $"{downtime} of {Runs} downtimes");
    });

    private static bool IsClose(TimeSpan predicted, TimeSpan measured) =>
        Math.Abs((predicted - measured).TotalSeconds) <= Tolerance * measured.TotalSeconds;

    /// <summary>A guest of its own size and habit over a link of its own speed; from idle to one that only post-copy or auto-converge moves.</summary>
    private async Task<(MigrationOutlook Outlook, (TimeSpan Total, TimeSpan Downtime) Measured)> Move(TestFleet fleet, Random random)
    {
        var memory = random.Next(16, 96);
        var set = random.Next(4, memory);
        var bandwidth = random.Next(20, 230);
        var dirty = random.NextDouble() * 1.2 * bandwidth;
        var limit = TimeSpan.FromMilliseconds(random.Next(30, 500));
        var mode = random.Next(4) == 0 ? MigrationMode.PostCopy : MigrationMode.PreCopy;
        var definition = await Launch(fleet, Labelled(
            NewDefinition(fleet), (GuestLabels.DirtyMiBPerSecond, Text(dirty)), (GuestLabels.WorkingSetMiB, Text(set)),
            (GuestLabels.UsedMiB, Text(random.Next(set, memory)))) with { MemoryMiB = memory });

        var load = Ok(await fleet.Source.Migration.ReadLoadAsync(definition.Ref, new CopyIntent(fleet.Target.Host, bandwidth, []), Ct));
        var outlook = MigrationForecast.Of(load!, new MigrationPlan(mode, limit, limit, 1, AutoConverge: true, TimeSpan.FromMinutes(10)));

        var incoming = Ok(await fleet.Target.Migration.PrepareIncomingAsync(definition, Ct));
        var began = fleet.Time.GetUtcNow();
        Ok(await fleet.Source.Migration.BeginCopyAsync(definition.Ref, incoming, new CopyOptions(mode, bandwidth, limit, AutoConverge: true), Ct));
        while (Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct)).Phase == CopyPhase.Copying)
            await Task.Delay(Look, fleet.Time);
        Ok(await fleet.Source.Migration.SwitchOverAsync(definition.Ref, Ct));
        var total = fleet.Time.GetUtcNow() - began;
        var ended = Ok(await fleet.Source.Migration.ReadProgressAsync(definition.Ref, Ct));
        Ok(await fleet.Target.DestroyAsync(definition.Ref, Ct));
        Ok(await fleet.Target.UndefineAsync(definition.Ref, DiskFate.Delete, Ct));
        return (outlook, (total, ended.Downtime!.Value));
    }

    private static string Text(double number) => number.ToString("0.###", CultureInfo.InvariantCulture);
}
