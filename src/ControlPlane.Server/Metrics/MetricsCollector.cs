using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Npgsql;

namespace ControlPlane.Server.Metrics;

/// <summary>One instrument as Prometheus shows it.</summary>
/// <param name="Type"><c>counter</c>, <c>gauge</c> or <c>histogram</c>.</param>
internal sealed record MetricFamily(string Name, string Type, string Help, IReadOnlyList<MetricSeries> Series);

/// <param name="Buckets">Of a histogram: upper bounds and cumulative counts.</param>
internal sealed record MetricSeries(
    IReadOnlyList<KeyValuePair<string, string>> Labels, double Value, IReadOnlyList<(double Bound, long Count)>? Buckets = null, long Count = 0);

/// <summary>Listens to the instruments of the framework, of Npgsql and of our own meters, and keeps their sums.</summary>
internal sealed class MetricsCollector : IDisposable
{
    /// <summary>More label combinations of one instrument than this are a mistake; the rest is not kept.</summary>
    private const int SeriesMax = 2000;

    private static readonly string[] Meters =
        ["ControlPlane", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Npgsql"];

    private static readonly double[] Bounds =
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

    /// <summary>What the runtime publishes as counters although it falls too.</summary>
    private static readonly string[] FallingCounters = ["dotnet.thread_pool.thread.count", "dotnet.thread_pool.queue.length"];

    /// <summary>Npgsql names a pool by its connection string, which is nobody's business and different for each installation.</summary>
    private const string PoolTag = "db.client.connection.pool.name";

    private readonly ConcurrentDictionary<string, string> pools = new(StringComparer.Ordinal);
    private readonly MeterListener listener = new();
    private readonly ConcurrentDictionary<Instrument, ConcurrentDictionary<string, Cell>> sums = new();

    public MetricsCollector()
    {
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (Meters.Any(m => instrument.Meter.Name == m || instrument.Meter.Name.StartsWith(m + ".", StringComparison.Ordinal)))
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<byte>((i, v, t, _) => Record(i, v, t));
        listener.SetMeasurementEventCallback<short>((i, v, t, _) => Record(i, v, t));
        listener.SetMeasurementEventCallback<int>((i, v, t, _) => Record(i, v, t));
        listener.SetMeasurementEventCallback<long>((i, v, t, _) => Record(i, v, t));
        listener.SetMeasurementEventCallback<float>((i, v, t, _) => Record(i, v, t));
        listener.SetMeasurementEventCallback<double>((i, v, t, _) => Record(i, v, t));
        listener.SetMeasurementEventCallback<decimal>((i, v, t, _) => Record(i, (double)v, t));
        listener.Start();
    }

    public IReadOnlyList<MetricFamily> Collect()
    {
        listener.RecordObservableInstruments();
        return [.. sums.Select(s => Family(s.Key, s.Value)).GroupBy(f => f.Name).Select(g => g.First()).OrderBy(f => f.Name, StringComparer.Ordinal)];
    }

    public void Dispose() => listener.Dispose();

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = sums.GetOrAdd(instrument, static _ => new(StringComparer.Ordinal));
        var key = Key(tags);
        if (!series.TryGetValue(key, out var cell))
        {
            if (series.Count >= SeriesMax)
                return;
            cell = series.GetOrAdd(key, new Cell(Labels(tags), IsHistogram(instrument) ? new long[Bounds.Length] : null));
        }
        cell.Add(value, replace: IsObservable(instrument) || IsGauge(instrument));
    }

    private static MetricFamily Family(Instrument instrument, ConcurrentDictionary<string, Cell> series)
    {
        var histogram = IsHistogram(instrument);
        var counter = IsCounter(instrument);
        var name = PrometheusText.Name(instrument.Name, instrument.Unit) + (counter ? "_total" : "");
        return new MetricFamily(
            name, histogram ? "histogram" : counter ? "counter" : "gauge", instrument.Description ?? instrument.Name,
            [.. series.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => s.Value.ToSeries(Bounds))]);
    }

    private static bool IsHistogram(Instrument i) => Generic(i) == typeof(Histogram<>);

    private static bool IsGauge(Instrument i) => Generic(i) == typeof(Gauge<>);

    private static bool IsObservable(Instrument i) => i.IsObservable;

    private static bool IsCounter(Instrument i) => Generic(i) is { } g && !FallingCounters.Contains(i.Name) && (g == typeof(Counter<>) || g == typeof(ObservableCounter<>));

    private static Type? Generic(Instrument i) => i.GetType() is { IsGenericType: true } type ? type.GetGenericTypeDefinition() : null;

    private static string Key(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.IsEmpty)
            return "";
        var text = new System.Text.StringBuilder();
        foreach (var (name, value) in tags)
            text.Append(name).Append('=').Append(value).Append('\n');
        return text.ToString();
    }

    private KeyValuePair<string, string>[] Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new KeyValuePair<string, string>[tags.Length];
        for (var i = 0; i < tags.Length; i++)
            labels[i] = new(PrometheusText.Label(tags[i].Key), Value(tags[i]));
        return labels;
    }

    private string Value(KeyValuePair<string, object?> tag) => tag is { Key: PoolTag, Value: string pool } && pool.Contains('=', StringComparison.Ordinal)
        ? pools.GetOrAdd(pool, text => $"{new NpgsqlConnectionStringBuilder(text).Database}-{pools.Count + 1}")
        : tag.Value?.ToString() ?? "";

    private sealed class Cell(KeyValuePair<string, string>[] labels, long[]? buckets)
    {
        private readonly Lock gate = new();
        private double sum;
        private long count;

        public void Add(double value, bool replace)
        {
            lock (gate)
            {
                sum = replace ? value : sum + value;
                count++;
                if (buckets is null)
                    return;
                var bucket = Array.FindIndex(Bounds, b => value <= b);
                if (bucket >= 0)
                    buckets[bucket]++;
            }
        }

        public MetricSeries ToSeries(double[] bounds)
        {
            lock (gate)
            {
                if (buckets is null)
                    return new MetricSeries(labels, sum);
                var running = 0L;
                var cumulative = bounds.Select((bound, i) => (bound, running += buckets[i])).ToList();
                return new MetricSeries(labels, sum, cumulative, count);
            }
        }
    }
}
