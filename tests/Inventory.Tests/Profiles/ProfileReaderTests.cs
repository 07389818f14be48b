using System.Runtime.CompilerServices;
using ControlPlane.Domain;
using ControlPlane.Domain.Pci;
using ControlPlane.Inventory.Profiles;

namespace ControlPlane.Inventory.Tests.Profiles;

public sealed class ProfileReaderTests
{
    private const string Small = """
        name: small
        description: One function.
        numa:
          - {node: 0, cpus: 2, memoryMiB: 1024}
        roots:
          - bus: "0000:00"
            functions:
              - {at: "01.0", id: "8086:10d3", class: "020000"}
        """;

    [Fact]
    public void The_example_of_the_readme_is_a_profile()
    {
        var profile = Read(ReadmeExample());

        var functions = profile.Hardware.Inventory.Functions;
        Assert.Equal(("example", 64, 262144), (profile.Name, profile.Hardware.Inventory.Capacity.Vcpus, profile.Hardware.Inventory.Capacity.MemoryMiB));
        Assert.Equal([4, 8], functions.Where(f => f.Function == FunctionKind.Physical).Select(f => f.Sriov!.VfCount).Order());
        Assert.Equal(12, functions.Count(f => f.Function == FunctionKind.Virtual));
        Assert.Equal("fabric-a", profile.PhysicalNetworks[functions.Single(f => f.DeviceId == 0x1572).Address]);
        Assert.Empty(profile.Hardware.Warnings);
    }

    [Fact]
    public void The_readme_names_every_field_of_the_format()
    {
        var readme = File.ReadAllText(ReadmePath());
        var fields = new[] { typeof(ProfileDocument), typeof(CpuDocument), typeof(NumaDocument), typeof(CaptureDocument), typeof(RootDocument), typeof(FunctionDocument), typeof(LinkDocument), typeof(SriovDocument) }
            .SelectMany(t => t.GetProperties()).Select(p => char.ToLowerInvariant(p.Name[0]) + p.Name[1..]);

        Assert.All(fields, field => Assert.Matches($@"\b{field}\b", readme));
    }

    [Fact]
    public void Flags_may_name_a_virtual_function_by_its_address()
    {
        var profile = Read(ReadmeExample() + "hostCritical: [\"0000:18:02.1\"]\n");

        Assert.Equal([PciAddress.Parse("0000:18:02.1")], profile.HostCritical);
    }

    [Theory]
    [InlineData("", "empty")]
    [InlineData("name: [", "Line")]
    [InlineData("colour: blue", "colour")]
    [InlineData("name: a\nname: b", "name")]
    [InlineData("name: UPPER", "DNS label")]
    public void A_document_that_is_no_profile_is_refused_with_the_reason(string yaml, string reason) => AssertRefused(yaml, reason);

    [Theory]
    [InlineData("small", "s_", "name")]
    [InlineData("One function.", "''", "description")]
    [InlineData("cpus: 2", "cpus: -2", "negative")]
    [InlineData("memoryMiB: 1024", "memoryMiB: 1024, hugepages1GiB: 2", "huge pages")]
    [InlineData("0000:00", "zero", "root bus")]
    [InlineData("01.0", "20.0", "free place")]
    [InlineData("8086:10d3", "8086", "vendor and device")]
    [InlineData("020000", "0200", "class")]
    [InlineData("class:", "port: sideways, class:", "port")]
    [InlineData("class:", "express: maybe, class:", "express")]
    [InlineData("class:", "below: [], class:", "no port")]
    [InlineData("class:", "sriov: {total: 2, count: 3, device: '10ca', offset: 1, stride: 1}, class:", "sriov")]
    [InlineData("class:", "sriov: {total: 2, count: 1, device: '10ca', offset: 0, stride: 1}, class:", "sriov")]
    [InlineData("class:", "sriov: {total: 65535, count: 1, device: '10ca', offset: 1, stride: 9}, class:", "sriov")]
    [InlineData("numa:", "assignable: ['0000:ff:00.0']\nnuma:", "assignable")]
    [InlineData("numa:", "capture: {lspci: x}\nnuma:", "exactly one")]
    [InlineData("id: \"8086:10d3\", class: \"020000\"", "model: x541", "model 'x541' is none of")]
    [InlineData("class:", "model: x540, class:", "id is what model x540 says")]
    [InlineData("class:", "model: x540, class:", "class is what model x540 says")]
    [InlineData("class:", "model: x540, port: root, class:", "model is for endpoints")]
    [InlineData("id: \"8086:10d3\", class: \"020000\"", "model: x540, sriov: {count: 64}", "at most 63")]
    [InlineData("id: \"8086:10d3\", class: \"020000\"", "model: x540, sriov: {total: 65}", "at most 64")]
    [InlineData("id: \"8086:10d3\", class: \"020000\"", "model: a100-pcie-80gb, sriov: {count: 1}", "sriov is nothing that model a100-pcie-80gb has")]
    public void What_cannot_be_is_refused_with_the_reason(string what, string by, string reason) =>
        AssertRefused(Small.Replace(what, by, StringComparison.Ordinal), reason);

    [Fact]
    public void A_function_of_a_model_is_what_its_model_says_and_its_slot_may_be_narrower()
    {
        const string port = "{at: \"01.0\", id: \"8086:2030\", port: root, ari: true, acs: true, link: {speedGTs: 8, width: 4}, below: [{at: \"00.0\", model: x540, subsystem: \"8086:0002\", link: {speedGTs: 8, width: 4}, sriov: {count: 3}}]}";
        var functions = Read(Small.Replace("{at: \"01.0\", id: \"8086:10d3\", class: \"020000\"}", port, StringComparison.Ordinal)).Hardware.Inventory.Functions;
        var physical = functions.Single(f => f.Function == FunctionKind.Physical);

        Assert.Equal(("Ethernet Controller 10-Gigabit X540-AT2", "ixgbe", (ushort)0x0002), (physical.DeviceName, physical.Driver, physical.SubsystemDeviceId));
        Assert.Equal(new PciLink(5, 4, 5, 8), physical.Link);
        Assert.Equal(
            [("X540 Ethernet Controller Virtual Function", "ixgbevf", 3)],
            functions.Where(f => f.Function == FunctionKind.Virtual).GroupBy(f => (f.DeviceName, f.Driver)).Select(g => (g.Key.DeviceName, g.Key.Driver, g.Count())));
    }

    [Fact]
    public void Everything_that_is_wrong_is_said_at_once()
    {
        var fault = ProfileReader.Read(Small.Replace("8086:10d3", "8086", StringComparison.Ordinal) + "\n      - {at: \"02.0\", id: \"8086:10d3\", class: \"02\"}\n").Fault!;

        Assert.Contains("0000:00:01.0", fault.Detail, StringComparison.Ordinal);
        Assert.Contains("0000:00:02.0", fault.Detail, StringComparison.Ordinal);
    }

    private static HostProfile Read(string yaml)
    {
        var read = ProfileReader.Read(yaml);
        Assert.Null(read.Fault);
        return read.Value;
    }

    private static void AssertRefused(string yaml, string reason)
    {
        var fault = ProfileReader.Read(yaml).Fault!;

        Assert.Equal((FaultKind.Impossible, "invalid-profile"), (fault.Kind, fault.Code));
        Assert.Contains(reason, fault.Detail, StringComparison.OrdinalIgnoreCase);
    }

    private static string ReadmeExample()
    {
        var readme = File.ReadAllText(ReadmePath());
        const string fence = "```yaml\n";
        var start = readme.IndexOf(fence, StringComparison.Ordinal) + fence.Length;
        return readme[start..readme.IndexOf("```", start, StringComparison.Ordinal)];
    }

    private static string ReadmePath([CallerFilePath] string thisFile = "") =>
        Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "..", "src", "ControlPlane.Inventory", "Profiles", "README.md");
}
