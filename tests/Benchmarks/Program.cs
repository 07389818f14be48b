using ControlPlane.Benchmarks;
using ControlPlane.Benchmarks.Memory;
using ControlPlane.Benchmarks.Placement;

// Each benchmark by its name; without arguments all run. The process ends with 1 when a promise is missed.
var benchmarks = new Dictionary<string, Func<CancellationToken, Task<bool>>>(StringComparer.Ordinal)
{
    ["placement"] = _ => Task.FromResult(Report.Print("Placement decisions", PlacementBenchmark.Run())),
    ["vm-create"] = async ct => Report.Print("VMs created to running, against the database's own speed", await VmCreateBenchmark.RunAsync(ct)),
    ["scale"] = async ct => Report.Print("100,000 VMs", await ScaleBenchmark.RunAsync(ct)),
    ["libvirt"] = async ct => Report.Print("What the control plane adds to libvirt", await LibvirtBenchmark.RunAsync(ct)),
    ["emulator"] = _ => Task.FromResult(Report.Print("The emulator", [.. EmulatorBenchmark.Run(), .. FleetBenchmark.Run()])),
    ["memory"] = async ct => Report.Print("Memory over migrations", await MemoryBenchmark.RunAsync(ct)),
    ["footprint"] = async ct => Report.Print("The demo server at rest", await FootprintBenchmark.RunAsync(ct)),
};

if (args.FirstOrDefault(name => !benchmarks.ContainsKey(name)) is { } unknown)
{
    Console.Error.WriteLine($"There is no benchmark '{unknown}'; there are: {string.Join(", ", benchmarks.Keys)}.");
    return 2;
}

using var cancelled = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    cancelled.Cancel();
};

var allHold = true;
foreach (var (name, run) in benchmarks)
{
    if (args.Length > 0 && !args.Contains(name))
        continue;
    Console.WriteLine($"{name} …");
    allHold &= await run(cancelled.Token);
}

return allHold ? 0 : 1;
