using System.Text.Json;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Lab.Hosts;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;
using ControlPlane.Libvirt.Tests.Infrastructure;
using ControlPlane.Testing.Libvirt;

namespace ControlPlane.Libvirt.Faults.Tests.Migration;

/// <summary>A VMM that dies in the middle of a migration, as users see it over HTTP: what the migration says, and what the VM is then.</summary>
[Collection(nameof(FaultRig))]
public sealed class CrashedGuestTests(FaultRig rig)
{
    private const int LeastThrottlePercent = 20;
    private const string NothingOfOurs = "controlplane-register";

    [Fact]
    public async Task A_VMM_that_dies_in_mid_copy_ends_the_migration_and_the_VM_is_what_its_source_says()
    {
        await using var fleet = await RigFleet.OpenAsync(rig); // For an empty rig before and after.
        await using var api = await HttpControlPlane.StartAsync();
        foreach (var host in rig.Rig.Hosts)
            (await api.AddHostAsync(host, Way.Tcp)).Expect("succeeded");
        var vm = (await api.PostAsync("vms?wait=60", new
        {
            name = "web", vcpus = 1, memoryMiB = 64, image = TinyGuest.NameOf(GuestManner.DirtiesFast), placement = new { host = "hv1" },
        })).Expect("succeeded").GetProperty("target").Text("id")!;

        // The target's VMM: the guest never was there.
        var failed = await MigrateAndKillAsync(api, vm, rig.Second);

        Assert.Contains("libvirt: ", failed.Text("failure"), StringComparison.Ordinal);
        Assert.EndsWith("The VM runs on the source.", failed.Text("failure"), StringComparison.Ordinal);
        Assert.Equal("hv1", (await api.GetAsync("vms/web")).Expect("running").Text("host"));
        Assert.Equal([], await DomainsAsync(rig.Second));

        // The source's: the guest ends with it, and is not recorded as running.
        failed = await MigrateAndKillAsync(api, vm, rig.First);

        Assert.Contains("libvirt: ", failed.Text("failure"), StringComparison.Ordinal);
        Assert.EndsWith("The guest has ended on the source: the VM is stopped.", failed.Text("failure"), StringComparison.Ordinal);
        Assert.Equal("hv1", (await api.GetAsync("vms/web")).Expect("stopped").Text("host"));
        Assert.Equal([], await DomainsAsync(rig.Second));
        (await api.PostAsync("vms/web/start?wait=60", new { })).Expect("succeeded");
        Assert.Equal("hv1", (await api.GetAsync("vms/web")).Expect("running").Text("host"));
    }

    /// <summary>The guest writes more than the migration may stop it for, so it is under way for as long as the VMM lives.</summary>
    /// <returns>The migration as it ended.</returns>
    private async Task<JsonElement> MigrateAndKillAsync(HttpControlPlane api, string vm, LabHost killed)
    {
        await FaultRig.UntilWritesAsync(rig.First, $"cp-{vm}");
        await new GuestProcess(rig.First, $"cp-{vm}").LimitThrottleAsync(LeastThrottlePercent);
        var operation = (await api.BeginAsync("vms/web/migrate", new { bandwidthMiBPerSecond = 1, downtimeLimitMilliseconds = 1, timeoutSeconds = 3600 })).Text("id")!;
        await api.UntilStepAsync(operation, "switch-over");
        await rig.UntilMigratesAsync($"cp-{vm}");

        await new GuestProcess(killed, $"cp-{vm}").KillAsync();

        (await api.EndAsync(operation)).Expect("failed");
        var migrations = (await api.GetAsync($"migrations?vm={vm}")).GetProperty("items").EnumerateArray();
        return migrations.Single(m => m.Text("operationId") == operation).Expect("rolled-back");
    }

    private static async Task<IEnumerable<string>> DomainsAsync(LabHost host) =>
        (await host.RequireVirshAsync(["list", "--all", "--name"], CancellationToken.None)).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Except([NothingOfOurs]);
}
