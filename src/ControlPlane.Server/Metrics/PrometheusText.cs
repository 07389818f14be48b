using System.Globalization;
using System.Text;

namespace ControlPlane.Server.Metrics;

/// <summary>Prometheus' text exposition format, version 0.0.4.</summary>
internal static class PrometheusText
{
    public static string Write(IEnumerable<MetricFamily> families)
    {
        var text = new StringBuilder();
        foreach (var family in families)
        {
            text.Append("# HELP ").Append(family.Name).Append(' ').Append(Escape(family.Help)).Append('\n');
            text.Append("# TYPE ").Append(family.Name).Append(' ').Append(family.Type).Append('\n');
            foreach (var series in family.Series)
                Write(text, family, series);
        }
        return text.ToString();
    }

    /// <summary><c>http.server.request.duration</c> in <c>s</c> becomes <c>http_server_request_duration_seconds</c>.</summary>
    public static string Name(string name, string? unit)
    {
        var plain = Label(name);
        var suffix = unit switch
        {
            "s" => "_seconds",
            "ms" => "_milliseconds",
            "By" => "_bytes",
            _ => "",
        };
        // A gauge that ends in _count would read as a part of a histogram.
        if (plain.EndsWith("_count", StringComparison.Ordinal))
            plain = plain[..^"_count".Length];
        return plain.EndsWith(suffix, StringComparison.Ordinal) ? plain : plain + suffix;
    }

    public static string Label(string name) => string.Create(name.Length, name, static (span, source) =>
    {
        for (var i = 0; i < source.Length; i++)
            span[i] = char.IsAsciiLetterOrDigit(source[i]) ? source[i] : '_';
    });

    private static void Write(StringBuilder text, MetricFamily family, MetricSeries series)
    {
        if (series.Buckets is null)
        {
            Line(text, family.Name, series.Labels, null, series.Value);
            return;
        }
        foreach (var (bound, count) in series.Buckets)
            Line(text, family.Name + "_bucket", series.Labels, Number(bound), count);
        Line(text, family.Name + "_bucket", series.Labels, "+Inf", series.Count);
        Line(text, family.Name + "_sum", series.Labels, null, series.Value);
        Line(text, family.Name + "_count", series.Labels, null, series.Count);
    }

    private static void Line(StringBuilder text, string name, IReadOnlyList<KeyValuePair<string, string>> labels, string? bound, double value)
    {
        text.Append(name);
        var all = bound is null ? labels : labels.Append(new("le", bound));
        if (all.Any())
            text.Append('{').AppendJoin(',', all.Select(l => $"{l.Key}=\"{Escape(l.Value).Replace("\"", "\\\"", StringComparison.Ordinal)}\"")).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
