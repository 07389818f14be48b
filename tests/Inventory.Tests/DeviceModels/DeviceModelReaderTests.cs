using System.Runtime.CompilerServices;
using ControlPlane.Domain;
using ControlPlane.Inventory.DeviceModels;

namespace ControlPlane.Inventory.Tests.DeviceModels;

public sealed class DeviceModelReaderTests
{
    [Fact]
    public void The_example_of_the_readme_is_a_model()
    {
        var model = Read(ReadmeExample());

        Assert.Equal(("example-nic", (ushort)0x1234, 0x020000), (model.Name, model.DeviceId, model.ClassCode));
        Assert.Equal([128L * 1024, 32, 16 * 1024], model.Bars.Select(b => b.Bytes));
        Assert.Equal((63, 2, 64), (model.Limits.VirtualFunctions, model.Limits.QueuePairs, model.Limits.Pools));
        Assert.Equal([MediatedSharing.TimeSliced, MediatedSharing.Partitioned], model.Mediated!.Types.Select(t => t.Sharing));
    }

    [Fact]
    public void The_readme_names_every_field_of_the_format()
    {
        var readme = File.ReadAllText(ReadmePath());
        Type[] documents =
        [
            typeof(DeviceModelDocument), typeof(BarDocument), typeof(CapabilitiesDocument), typeof(PowerDocument), typeof(MsixDocument), typeof(ExpressDocument),
            typeof(AtsDocument), typeof(ModelSriovDocument), typeof(LimitsDocument), typeof(MediatedDocument), typeof(MediatedTypeDocument),
        ];
        var fields = documents.SelectMany(t => t.GetProperties()).Select(p => char.ToLowerInvariant(p.Name[0]) + p.Name[1..]);

        Assert.All(fields, field => Assert.Matches($@"\b{field}\b", readme));
    }

    [Theory]
    [InlineData("name: example-nic", "name: Example_Nic", "name", "DNS label")]
    [InlineData("product: Example Network Connection", "product: ''", "product", "lspci")]
    [InlineData("id: \"8086:1234\"", "id: \"8086\"", "id", "8086:10c9")]
    [InlineData("class: \"020000\"", "class: \"0200\"", "class", "six hexadecimal digits")]
    [InlineData("revision: 1", "revision: 256", "revision", "0 to 255")]
    [InlineData("size: 128KiB", "size: 100KiB", "bars[0].size", "power of two")]
    [InlineData("bits: 32}  ", "bits: 16}  ", "bars[0].bits", "32 or 64")]
    [InlineData("{index: 2,", "{index: 4,", "bars[2].index", "free place")]
    [InlineData("msi: 1", "msi: 3", "capabilities.msi", "16 or 32")]
    [InlineData("vectors: 10, bar: 4", "vectors: 10, bar: 2", "capabilities.msix.bar", "one of its bars")]
    [InlineData("vectors: 10, bar: 4", "vectors: 1000, bar: 4", "capabilities.msix", "inside the bar")]
    [InlineData("speedGTs: 5", "speedGTs: 6", "capabilities.express.speedGTs", "2.5, 5, 8")]
    [InlineData("queueDepth: 32}              #", "queueDepth: 33}              #", "capabilities.ats.queueDepth", "1 to 32")]
    [InlineData("total: 64", "total: 0", "sriov.total", "1 to 65535")]
    [InlineData("offset: [128]", "offset: []", "sriov.offset", "write [128]")]
    [InlineData("device: \"10ca\"", "device: \"10c\"", "sriov.device", "four hexadecimal digits")]
    [InlineData("queuePairs: 2", "queuePairs: 0", "limits.queuePairs", "1 or more")]
    [InlineData("sharing: time-sliced", "sharing: fair", "mediated.types[0].sharing", "partitioned")]
    [InlineData("slices: 1", "slices: 5", "mediated.types[1].slices", "mediated.slices")]
    [InlineData("name: E-1-2", "name: example-1", "mediated.types", "twice")]
    [InlineData("driver: igb ", "drover: igb ", "Line", "drover")]
    public void What_cannot_be_is_refused_with_the_field_and_what_belongs_there(string what, string by, string field, string belongs)
    {
        var yaml = ReadmeExample();
        Assert.Contains(what, yaml, StringComparison.Ordinal);

        var fault = DeviceModelReader.Read(yaml.Replace(what, by, StringComparison.Ordinal)).Fault!;

        Assert.Equal((FaultKind.Impossible, "invalid-device-model"), (fault.Kind, fault.Code));
        Assert.Contains(field, fault.Detail, StringComparison.Ordinal);
        Assert.Contains(belongs, fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once()
    {
        var fault = DeviceModelReader.Read(ReadmeExample().Replace("total: 64", "total: 0", StringComparison.Ordinal).Replace("msi: 1", "msi: 3", StringComparison.Ordinal)).Fault!;

        Assert.Contains("sriov.total", fault.Detail, StringComparison.Ordinal);
        Assert.Contains("capabilities.msi", fault.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_model_of_the_same_ids_is_refused()
    {
        var again = ReadmeExample().Replace("8086:1234", "8086:10c9", StringComparison.Ordinal);

        var fault = DeviceModelCatalog.Shipped.With(again).Fault!;

        Assert.Contains("example-nic", fault.Detail, StringComparison.Ordinal);
        Assert.Contains("82576", fault.Detail, StringComparison.Ordinal);
    }

    private static DeviceModel Read(string yaml)
    {
        var read = DeviceModelReader.Read(yaml);
        Assert.Null(read.Fault);
        return read.Value;
    }

    private static string ReadmeExample()
    {
        var readme = File.ReadAllText(ReadmePath());
        const string fence = "```yaml\n";
        var start = readme.IndexOf(fence, StringComparison.Ordinal) + fence.Length;
        return readme[start..readme.IndexOf("```", start, StringComparison.Ordinal)];
    }

    private static string ReadmePath([CallerFilePath] string thisFile = "") =>
        Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "..", "src", "ControlPlane.Inventory", "DeviceModels", "README.md");
}
