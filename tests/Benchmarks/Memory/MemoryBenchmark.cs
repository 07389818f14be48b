using ControlPlane.Benchmarks.Running;
using ControlPlane.Testing;
using ControlPlane.Testing.Libvirt;

namespace ControlPlane.Benchmarks.Memory;

/// <summary>
/// What is left over of migrations in the server: a VM with a virtual function between two emulated hosts, and a real guest between the
/// lab's two hosts. The second needs root.
/// </summary>
internal static class MemoryBenchmark
{
    private const int EmulatedMigrations = 1000;
    private const int RealMigrations = 100;

    public static async Task<IReadOnlyList<Measurement>> RunAsync(CancellationToken ct)
    {
        using var directory = TestDirectory.Create("bench");
        await using var rig = new TwoHostsRig();
        await rig.InitializeAsync();
        await using var server = await InProcessServer.StartAsync(Path.Combine(directory.Path, "data"), ct);
        var api = new Operations(server.Http);

        await EmulatedFleet.RegisterAsync(api, ct);
        var emulated = new MemorySeries("emulated");
        await emulated.RunAsync(EmulatedMigrations, () => MoveAsync(api, EmulatedFleet.VmName, ct));
        emulated.Print();

        foreach (var host in rig.Rig.Hosts)
            await LabFleet.RegisterAsync(api, host, ct);
        await LabFleet.CreateVmAsync(api, "real", ct);
        var real = new MemorySeries("libvirt");
        await real.RunAsync(RealMigrations, () => MoveAsync(api, "real", ct));
        real.Print();
        return [.. emulated.Growth(managedMax: 512, nativeMax: 2048), .. real.Growth(managedMax: 4096, nativeMax: 8192)];
    }

    private static async Task MoveAsync(Operations api, string vm, CancellationToken ct)
    {
        await LabFleet.MoveAsync(api, vm, ct);
        api.Clear();
    }
}
