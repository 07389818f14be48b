using System.Globalization;
using System.Text.RegularExpressions;
using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests;

/// <summary>What Prometheus reads: its text format 0.0.4, taken strictly, with the habits that promtool asks for.</summary>
public sealed partial class MetricsTests(ApiServer server)
{
    private const int LabelLengthMax = 100;

    [Fact]
    public async Task Every_sample_belongs_to_a_described_family_and_stands_once()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var family in await FamiliesAsync())
        {
            Assert.NotEmpty(family.Help);
            foreach (var sample in family.Samples)
            {
                Assert.Contains(sample.Name, Names(family));
                Assert.True(seen.Add(sample.Name + sample.Labels), $"{sample.Name}{sample.Labels} stands twice");
            }
        }
        Assert.Contains(seen, s => s.StartsWith("http_server_request_duration_seconds_count", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Names_tell_the_kind_and_the_unit()
    {
        foreach (var family in await FamiliesAsync())
        {
            Assert.Matches("^[a-z][a-z0-9_]*$", family.Name);
            Assert.Equal(family.Type == "counter", family.Name.EndsWith("_total", StringComparison.Ordinal));
            Assert.False(family.Type == "gauge" && (family.Name.EndsWith("_count", StringComparison.Ordinal) || family.Name.EndsWith("_sum", StringComparison.Ordinal)));
            Assert.DoesNotContain("millisecond", family.Name, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Labels_grow_with_the_code_and_not_with_the_fleet()
    {
        var vm = server.Name("some-vm");
        await server.Admin.GetAsync($"/api/v1/vms/{vm}");
        await server.Admin.GetAsync($"/{vm}");

        foreach (var sample in (await FamiliesAsync()).SelectMany(f => f.Samples))
        {
            Assert.DoesNotContain(vm, sample.Labels, StringComparison.Ordinal);
            Assert.DoesNotContain("Host=", sample.Labels, StringComparison.Ordinal);
            Assert.All(Label().Matches(sample.Labels), l => Assert.InRange(l.Groups["value"].Length, 0, LabelLengthMax));
        }
    }

    [Fact]
    public async Task The_fleet_and_what_is_done_with_it_are_told()
    {
        await server.HostAsync();
        var (before, vm) = (await CreatedAsync(), server.Name("counted"));
        (await server.Admin.PostAsync("/api/v1/vms?wait=30", $$"""{"name":"{{vm}}","vcpus":1,"memoryMiB":64,"image":"tiny"}""")).Expect(202);

        Assert.True(await CreatedAsync() > before);
        var hosts = (await FamiliesAsync()).Single(f => f.Name == "controlplane_hosts").Samples;
        Assert.InRange(hosts.Single(s => s.Labels == "{state=\"up\"}").Value, 1, double.MaxValue);
        Assert.Contains(hosts, s => s.Labels == "{state=\"down\"}");

        async Task<double> CreatedAsync() => (await FamiliesAsync()).SingleOrDefault(f => f.Name == "controlplane_operation_duration_seconds")?.Samples
            .Where(s => s.Name.EndsWith("_count", StringComparison.Ordinal) && s.Labels.Contains("\"vm.create\"", StringComparison.Ordinal)).Sum(s => s.Value) ?? 0;
    }

    [Fact]
    public async Task Buckets_are_cumulative_and_end_at_the_count()
    {
        foreach (var family in (await FamiliesAsync()).Where(f => f.Type == "histogram"))
        {
            foreach (var series in family.Samples.Where(s => s.Name == family.Name + "_bucket").GroupBy(s => Bound().Replace(s.Labels, "")))
            {
                var values = series.Select(s => s.Value).ToList();
                Assert.Equal(values.Order(), values);
                Assert.Contains("le=\"+Inf\"", series.Last().Labels, StringComparison.Ordinal);
                Assert.Contains(family.Samples, s => s.Name == family.Name + "_count" && s.Value >= values[^1]);
            }
        }
    }

    private static string[] Names(Family family) =>
        family.Type == "histogram" ? [family.Name + "_bucket", family.Name + "_sum", family.Name + "_count"] : [family.Name];

    private async Task<IReadOnlyList<Family>> FamiliesAsync()
    {
        var text = (await server.Admin.GetAsync("/metrics")).Expect(200).Body;
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var families = new List<Family>();
        foreach (var line in text.TrimEnd('\n').Split('\n'))
        {
            if (Help().Match(line) is { Success: true } help)
                families.Add(new Family(help.Groups["name"].Value, help.Groups["help"].Value));
            else if (Type().Match(line) is { Success: true } type)
                families[^1].Become(type.Groups["name"].Value, type.Groups["type"].Value);
            else if (Sample().Match(line) is { Success: true } sample)
                families[^1].Samples.Add(new MetricSample(
                    sample.Groups["name"].Value, sample.Groups["labels"].Value, double.Parse(sample.Groups["value"].Value, CultureInfo.InvariantCulture)));
            else
                Assert.Fail($"This is no line of the format: {line}");
        }
        Assert.Equal(families.Count, families.Select(f => f.Name).Distinct(StringComparer.Ordinal).Count());
        return families;
    }

    private sealed class Family(string name, string help)
    {
        public string Name => name;

        public string Help => help;

        public string Type { get; private set; } = "";

        public List<MetricSample> Samples { get; } = [];

        public void Become(string described, string type)
        {
            Assert.Equal(Name, described);
            Assert.Empty(Samples);
            Type = type;
        }
    }

    private sealed record MetricSample(string Name, string Labels, double Value);

    [GeneratedRegex("^# HELP (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<help>.+)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Help();

    [GeneratedRegex("^# TYPE (?<name>[a-zA-Z_:][a-zA-Z0-9_:]*) (?<type>counter|gauge|histogram)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Type();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*"(,[a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\["\\n])*")*\})? (?<value>[0-9.eE+-]+|NaN|[+-]?Inf)$""", RegexOptions.ExplicitCapture)]
    private static partial Regex Sample();

    [GeneratedRegex("[a-zA-Z_]+=\"(?<value>([^\"\\\\]|\\\\.)*)\"", RegexOptions.ExplicitCapture)]
    private static partial Regex Label();

    [GeneratedRegex(",?le=\"[^\"]*\"")]
    private static partial Regex Bound();
}
