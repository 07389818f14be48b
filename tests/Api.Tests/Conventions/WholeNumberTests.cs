using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json;
using ControlPlane.Api.Tests.Infrastructure;
using ControlPlane.Contracts;

namespace ControlPlane.Api.Tests.Conventions;

/// <summary>Whole numbers have bounds that the document states, and what is beyond them is refused by name, also beyond what the server can count to.</summary>
public sealed class WholeNumberTests(ApiServer server)
{
    private const string Beyond64Bits = "9223372036854775808";

    /// <summary>The request, the field in it, where it goes, a body with N in the field's place, and the field's path.</summary>
    public static TheoryData<Type, string, string, string, string, string> Fields => new()
    {
        { typeof(CreateVirtualMachineRequest), "vcpus", "POST", "/vms", """{"name":"a","vcpus":N,"memoryMiB":64}""", "vcpus" },
        { typeof(CreateVirtualMachineRequest), "memoryMiB", "POST", "/vms", """{"name":"a","vcpus":1,"memoryMiB":N}""", "memoryMiB" },
        { typeof(DiskRequest), "sizeGiB", "POST", "/vms", """{"name":"a","vcpus":1,"memoryMiB":64,"disks":[{"name":"root","sizeGiB":1},{"name":"data","sizeGiB":N}]}""", "disks[1].sizeGiB" },
        { typeof(DeviceRequest), "count", "POST", "/vms", """{"name":"a","vcpus":1,"memoryMiB":64,"devices":[{"name":"d","pool":"POOL","count":N}]}""", "devices[0].count" },
        { typeof(NetworkRequest), "vlan", "POST", "/networks", """{"name":"a","vlan":N}""", "vlan" },
        { typeof(NetworkRequest), "mtu", "POST", "/networks", """{"name":"a","mtu":N}""", "mtu" },
        { typeof(CreateTokenRequest), "ttlSeconds", "POST", "/tokens", """{"name":"a","role":"operator","ttlSeconds":N}""", "ttlSeconds" },
        { typeof(QuotaRequest), "vcpus", "PUT", "/projects/default/quota", """{"vcpus":N}""", "vcpus" },
        { typeof(QuotaRequest), "memoryMiB", "PUT", "/projects/default/quota", """{"memoryMiB":N}""", "memoryMiB" },
        { typeof(QuotaRequest), "vms", "POST", "/projects", """{"name":"a","quota":{"vms":N}}""", "quota.vms" },
        { typeof(DrainHostRequest), "maxParallel", "POST", "/hosts/HOST/drain", """{"maxParallel":N}""", "maxParallel" },
        { typeof(StopVirtualMachineRequest), "timeoutSeconds", "POST", "/vms/VM/stop", """{"timeoutSeconds":N}""", "timeoutSeconds" },
        { typeof(MigrateVirtualMachineRequest), "bandwidthMiBPerSecond", "POST", "/vms/VM/migrate", """{"bandwidthMiBPerSecond":N}""", "bandwidthMiBPerSecond" },
        { typeof(MigrateVirtualMachineRequest), "downtimeLimitMilliseconds", "POST", "/vms/VM/migrate", """{"downtimeLimitMilliseconds":N}""", "downtimeLimitMilliseconds" },
        { typeof(MigrateVirtualMachineRequest), "timeoutSeconds", "POST", "/vms/VM/migrate", """{"timeoutSeconds":N}""", "timeoutSeconds" },
        { typeof(MigrateVirtualMachineRequest), "unplugTimeoutSeconds", "POST", "/vms/VM/migrate", """{"unplugTimeoutSeconds":N}""", "unplugTimeoutSeconds" },
        { typeof(MigrateVirtualMachineRequest), "maxInterfaceGapMilliseconds", "POST", "/vms/VM/migrate", """{"maxInterfaceGapMilliseconds":N}""", "maxInterfaceGapMilliseconds" },
    };

    [Theory]
    [MemberData(nameof(Fields))]
    public async Task Beyond_its_bounds_a_number_is_impossible_and_the_bounds_are_told(
        Type request, string field, string method, string path, string body, string blamed)
    {
        var (min, max) = Bounds(request, field);
        path = await FillAsync("/api/v1" + path);
        body = await FillAsync(body);
        foreach (var number in new[] { Text(min - 1), Text(max + 1), Beyond64Bits, "-" + Beyond64Bits + "9", new string('9', 400) })
        {
            var answer = (await server.Admin.SendAsync(new HttpMethod(method), path, body.Replace("N", number, StringComparison.Ordinal))).Expect(422);

            Assert.Equal(blamed, Assert.Single(answer.BlamedFields));
            Assert.Contains($"from {min} to {max}", answer.Text("detail"), StringComparison.Ordinal);
            Assert.Contains(number[..Math.Min(number.Length, 40)], answer.Text("detail"), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("64.5")]
    [InlineData("\"64\"")]
    [InlineData("true")]
    [InlineData("[]")]
    public async Task What_is_no_whole_number_is_malformed(string value)
    {
        var (min, max) = Bounds(typeof(CreateVirtualMachineRequest), "memoryMiB");
        var answer = (await server.Admin.PostAsync("/api/v1/vms", """{"name":"a","vcpus":1,"memoryMiB":N}""".Replace("N", value, StringComparison.Ordinal))).Expect(400);

        Assert.Equal("memoryMiB", Assert.Single(answer.BlamedFields));
        Assert.Contains($"must be a whole number from {min} to {max}", answer.Text("detail"), StringComparison.Ordinal);
    }

    [Fact]
    public void Every_whole_number_of_a_request_has_bounds()
    {
        var unbounded =
            from type in typeof(ContractsJson).Assembly.GetTypes()
            where type.Name.EndsWith("Request", StringComparison.Ordinal)
            from property in type.GetProperties()
            where (Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType) is var number && (number == typeof(int) || number == typeof(long))
            where property.GetCustomAttribute<RangeAttribute>() is null
            select $"{type.Name}.{property.Name}";

        Assert.Empty(unbounded);
    }

    private async Task<string> FillAsync(string text)
    {
        if (text.Contains("HOST", StringComparison.Ordinal))
            text = text.Replace("HOST", await server.HostAsync(), StringComparison.Ordinal);
        if (text.Contains("POOL", StringComparison.Ordinal))
        {
            var pool = server.Name("pool");
            (await server.Admin.PostAsync("/api/v1/device-pools", $$"""{"name":"{{pool}}","kind":"virtual-function","match":[{"vendorId":"8086"}]}""")).Expect(201);
            text = text.Replace("POOL", pool, StringComparison.Ordinal);
        }
        if (text.Contains("VM/", StringComparison.Ordinal))
        {
            await server.HostAsync();
            var vm = server.Name("vm");
            (await server.Admin.PostAsync("/api/v1/vms?wait=60", $$"""{"name":"{{vm}}","vcpus":1,"memoryMiB":64}""")).Expect(202);
            text = text.Replace("VM/", vm + "/", StringComparison.Ordinal);
        }
        return text;
    }

    private static (long Min, long Max) Bounds(Type request, string field)
    {
        var range = request.GetProperties().Single(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name) == field).GetCustomAttribute<RangeAttribute>()!;
        return (Convert.ToInt64(range.Minimum, CultureInfo.InvariantCulture), Convert.ToInt64(range.Maximum, CultureInfo.InvariantCulture));
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
