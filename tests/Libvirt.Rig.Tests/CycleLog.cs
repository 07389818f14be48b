using System.Globalization;
using ControlPlane.Lab.Probes;

namespace ControlPlane.Libvirt.Rig.Tests;

/// <summary>What cycles did and how long each part took; a file, written line by line, that outlives a test that fails.</summary>
internal sealed class CycleLog : IDisposable
{
    private readonly StreamWriter file;
    private readonly TimeProvider time = TimeProvider.System;
    private readonly long began;

    public CycleLog(string path)
    {
        file = new StreamWriter(path, append: true) { AutoFlush = true };
        began = time.GetTimestamp();
    }

    public static string Load => File.ReadAllText("/proc/loadavg").Split(' ')[0];

    public void Say(string text)
    {
        lock (file)
            file.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{time.GetElapsedTime(began).TotalSeconds,7:0.00} s  {text}"));
    }

    /// <summary>Does a part and says how long it took, and with it what it answered.</summary>
    public async Task<T> PartAsync<T>(string name, Func<Task<T>> part)
    {
        var start = time.GetTimestamp();
        try
        {
            var result = await part();
            Say(string.Create(CultureInfo.InvariantCulture, $"{name}: {time.GetElapsedTime(start).TotalSeconds:0.00} s"));
            return result;
        }
        catch (Exception e)
        {
            Say(string.Create(CultureInfo.InvariantCulture, $"{name}: FAILED after {time.GetElapsedTime(start).TotalSeconds:0.00} s: {e.Message}"));
            throw;
        }
    }

    public void Figures(string name, ProbeFigures figures) => Say(string.Create(CultureInfo.InvariantCulture,
        $"probes, {name}: {figures.Sent} sent, {figures.Lost} lost, gap {figures.Gap.TotalSeconds:0.00} s, longest silence {figures.Silence.TotalSeconds:0.00} s, slowest reply {figures.WorstRoundTrip.TotalSeconds:0.00} s"));

    public void Dispose() => file.Dispose();
}
