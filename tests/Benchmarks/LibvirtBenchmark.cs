using System.Diagnostics;
using ControlPlane.Benchmarks.Running;
using ControlPlane.Lab.Hosts;
using ControlPlane.Testing;
using ControlPlane.Testing.Libvirt;
using ControlPlane.Testing.Servers;

namespace ControlPlane.Benchmarks;

/// <summary>
/// What the control plane adds to the work of libvirt and QEMU, against the same steps done by <c>virsh</c> in a script: the life of a VM
/// from definition to deletion, and a live migration. Real guests on the lab's two hosts; the rounds alternate. Needs root.
/// </summary>
internal static class LibvirtBenchmark
{
    private const int Lives = 12;
    private const int Moves = 60;

    /// <summary>
    /// Rounds that are thrown away: caches are cold, and the runtime compiles a method well after it was called thirty times, which many of the server's are once a
    /// round; it does so on the CPUs that the guests are emulated on.
    /// </summary>
    private const int ColdRounds = 32;

    public static async Task<IReadOnlyList<Measurement>> RunAsync(CancellationToken ct)
    {
        using var directory = TestDirectory.Create("bench");
        await using var rig = new TwoHostsRig();
        await rig.InitializeAsync();
        await using var server = await RunningServer.StartAsync(Path.Combine(directory.Path, "data"), demo: false, fastEmulation: true, ct);
        var api = new Operations(server.Http);
        var (first, second) = (rig.Rig.First, rig.Rig.Second);
        await LabFleet.RegisterAsync(api, first, ct);
        await LabFleet.CreateVmAsync(api, "model", ct);
        var model = (await api.GetAsync("vms/model", ct)).GetProperty("id").GetString()!;
        var script = await VirshScript.LikeAsync(first, model, "scripted", directory.Path, ct);

        var lives = await AlternateAsync(Lives, api, _ => LabFleet.LiveAsync(api, "lived", ct), async _ =>
        {
            await script.CreateAsync(first, ct);
            await script.DeleteAsync(first, ct);
        });
        var lifeSteps = api.Medians();

        await LabFleet.RegisterAsync(api, second, ct);
        await script.CreateAsync(first, ct);
        var moves = await AlternateAsync(
            Moves, api, _ => LabFleet.MoveAsync(api, "model", ct),
            round => round % 2 == 0 ? script.MoveAsync(first, second, ct) : script.MoveAsync(second, first, ct));
        return [.. Compare("create, start, stop, delete", lives, lifeSteps, 1.10), .. Compare("live migration", moves, api.Medians(), 1.05)];
    }

    /// <summary>Each by turns, so that what else the machine does falls on both.</summary>
    private static async Task<(List<TimeSpan> Ours, List<TimeSpan> Scripted)> AlternateAsync(
        int rounds, Operations api, Func<int, Task> ours, Func<int, Task> scripted)
    {
        var times = (Ours: new List<TimeSpan>(), Scripted: new List<TimeSpan>());
        for (var round = 0; round < ColdRounds + rounds; round++)
        {
            var (one, other) = (await TimeAsync(() => ours(round)), await TimeAsync(() => scripted(round)));
            if (round < ColdRounds)
            {
                api.Clear();
                continue;
            }
            times.Ours.Add(one);
            times.Scripted.Add(other);
        }
        return times;
    }

    /// <remarks>
    /// Not medians: libvirt looks only each 200 ms whether a QEMU that it ended is gone, so a move takes one of two times, and the median of as many of one as of the
    /// other falls to either by chance.
    /// </remarks>
    private static IEnumerable<Measurement> Compare(
        string what, (List<TimeSpan> Ours, List<TimeSpan> Scripted) times, IReadOnlyList<(string Step, double Milliseconds)> steps, double most)
    {
        var (through, by) = (Load.MiddleMean(times.Ours.Select(t => t.TotalMilliseconds)), Load.MiddleMean(times.Scripted.Select(t => t.TotalMilliseconds)));
        yield return Measurement.Plain($"{what}, through the API, mean of the middle half of {times.Ours.Count}", through, "ms", 0);
        foreach (var (step, milliseconds) in steps)
            yield return Measurement.Plain($"   step {step}", milliseconds, "ms", 0);
        yield return Measurement.Plain($"{what}, virsh in a script, mean of the middle half of {times.Scripted.Count}", by, "ms", 0);
        yield return Measurement.AtMost("ratio", through / by, most, "", 2);
    }

    private static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var began = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(began);
    }
}
