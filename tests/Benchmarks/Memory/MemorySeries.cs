using System.Globalization;

namespace ControlPlane.Benchmarks.Memory;

/// <summary>Readings at equal distances over many migrations, and how what they show grows with the count.</summary>
internal sealed class MemorySeries(string backend)
{
    private const int Readings = 50;
    private const int Printed = 10;
    private const double BytesPerMiB = 1 << 20;

    private readonly List<MemoryReading> readings = [];

    public async Task RunAsync(int migrations, Func<Task> migrate)
    {
        for (var done = 1; done <= migrations; done++)
        {
            await migrate();
            if (done % (migrations / Readings) == 0)
                readings.Add(MemoryReading.Take(done));
        }
    }

    public void Print()
    {
        Console.WriteLine();
        Console.WriteLine($"{backend}, after a full collection:");
        string[][] rows =
        [
            ["migrations", "managed MiB", "malloc MiB", "resident MiB", "libvirt references", "open files", "threads"],
            .. readings.Where((_, n) => (n + 1) % (Readings / Printed) == 0).Select(r => new[]
            {
                Number(r.Migrations, 0), Number(r.ManagedBytes / BytesPerMiB, 2), Number(r.AllocatedBytes / BytesPerMiB, 2), Number(r.ResidentBytes / BytesPerMiB, 1),
                Number(r.References, 0), Number(r.Files, 0), Number(r.Threads, 0),
            }),
        ];
        Report.Table(rows, isNumber: _ => true);
    }

    /// <param name="managedMax">Bytes a migration: less than the smallest thing that a migration makes, more than chance.</param>
    /// <param name="nativeMax">As above, of what C code has allocated.</param>
    public IEnumerable<Measurement> Growth(double managedMax, double nativeMax)
    {
        yield return Measurement.AtMost($"{backend}: managed heap, growth per migration", Slope(r => r.ManagedBytes), managedMax, "bytes", 0);
        yield return Measurement.AtMost($"{backend}: malloc, growth per migration", Slope(r => r.AllocatedBytes), nativeMax, "bytes", 0);
        yield return Measurement.Plain($"{backend}: resident, growth per migration", Slope(r => r.ResidentBytes), "bytes", 0);
        yield return Measurement.AtMost($"{backend}: libvirt references, growth per 100 migrations", 100 * Slope(r => r.References), 1, "");
        yield return Measurement.AtMost($"{backend}: open files, growth per 100 migrations", 100 * Slope(r => r.Files), 5, "");
        yield return Measurement.AtMost($"{backend}: threads, growth per 100 migrations", 100 * Slope(r => r.Threads), 5, "");
    }

    /// <summary>
    /// From the floor of the second quarter to that of the last, per migration. What is at work at the moment of a reading only ever adds to
    /// it, and in the first quarter caches fill and the runtime compiles; a floor that rises after that is owed to the count.
    /// </summary>
    private double Slope(Func<MemoryReading, double> value)
    {
        var quarter = readings.Count / 4;
        var (before, after) = (readings.GetRange(quarter, quarter), readings.GetRange(readings.Count - quarter, quarter));
        return (after.Min(value) - before.Min(value)) / (after[0].Migrations - before[0].Migrations);
    }

    private static string Number(double value, int digits) => value.ToString($"N{digits}", CultureInfo.InvariantCulture);
}
