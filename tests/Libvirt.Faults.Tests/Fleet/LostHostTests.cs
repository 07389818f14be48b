using System.Text.Json;
using ControlPlane.Hypervisor.Specification;
using ControlPlane.Libvirt.Faults.Tests.Infrastructure;
using ControlPlane.Libvirt.Tests.Infrastructure;

namespace ControlPlane.Libvirt.Faults.Tests.Fleet;

/// <summary>Hosts that do not answer, as users see them over HTTP: a state, a reason, and that it ends by itself.</summary>
[Collection(nameof(FaultRig))]
public sealed class LostHostTests(FaultRig rig)
{
    [Fact]
    public async Task A_host_that_does_not_answer_is_down_with_the_reason_and_comes_up_by_itself_when_it_does()
    {
        await using var fleet = await RigFleet.OpenAsync(rig); // For an empty rig before and after.
        await using var api = await HttpControlPlane.StartAsync();
        await FaultRig.CutFromMachineAsync(rig.Second);

        (await api.AddHostAsync(rig.First, Way.Tls)).Expect("succeeded");
        var silent = (await api.AddHostAsync(rig.Second, Way.Tcp)).Expect("failed");
        Assert.Equal("host-unavailable", silent.GetProperty("error").Text("code"));
        var down = await api.UntilAsync("hosts/hv2", "down");
        Assert.Contains($"{rig.Second.TcpUri} did not answer within 10 s", down.Text("stateReason"), StringComparison.Ordinal);
        await FaultRig.RestoreToMachineAsync(rig.Second);
        await api.UntilAsync("hosts/hv2", "up");

        (await api.PostAsync("vms?wait=60", new
        {
            name = "web", vcpus = 1, memoryMiB = 64, image = TinyGuest.NameOf(GuestManner.Cooperative), placement = new { host = "hv1" },
        })).Expect("succeeded");
        await rig.First.KillDaemonAsync(TestContext.Current.CancellationToken);
        await FaultRig.CutFromMachineAsync(rig.Second);

        Assert.Contains("Connection refused", (await api.UntilAsync("hosts/hv1", "down")).Text("stateReason"), StringComparison.Ordinal);
        await api.UntilAsync("hosts/hv2", "down");
        await RigFleet.UntilAsync(
            async () => Conditions(await api.GetAsync("vms/web")).Find(reason => reason.Contains("'hv1' does not answer", StringComparison.Ordinal)),
            () => "nothing is said of the VM on the lost host");
        await rig.MendAsync();

        await api.UntilAsync("hosts/hv1", "up");
        await api.UntilAsync("hosts/hv2", "up");
        await RigFleet.UntilAsync(async () => Conditions(await api.GetAsync("vms/web")) is { Count: 0 } none ? none : null, () => "nothing is said of the VM any more");
        (await api.GetAsync("vms/web")).Expect("running");
    }

    private static List<string> Conditions(JsonElement vm) => [.. vm.GetProperty("conditions").EnumerateArray().Select(c => c.Text("reason")!)];
}
