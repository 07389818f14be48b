using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Conventions;

/// <summary>What is sent badly is told back, field by field.</summary>
public sealed class BodyTests(ApiServer server)
{
    [Theory]
    [InlineData("""{"name":"a","vcpus":1,"memoryMiB":64,"memoryMib":64}""", "memoryMib")]
    [InlineData("""{"name":"a","vcpus":1,"memoryMiB":64,"disks":[{"name":"root","sizeGib":1,"sizeGiB":1}]}""", "disks[0].sizeGib")]
    [InlineData("""{"name":"a","vcpus":1,"vcpus":2,"memoryMiB":64}""", "vcpus")]
    [InlineData("""{"name":"a","vcpus":"two","memoryMiB":64}""", "vcpus")]
    [InlineData("""{"name":"a","vcpus":1.5,"memoryMiB":64}""", "vcpus")]
    [InlineData("""{"name":"a","vcpus":1,"memoryMiB":64,"hugepages":"4MiB"}""", "hugepages")]
    [InlineData("""{"name":"a","vcpus":1,"memoryMiB":64,"hugepages":1}""", "hugepages")]
    [InlineData("""{"name":"a","vcpus":1,"memoryMiB":64,"interfaces":[{"name":"n","network":"x"},{"name":7,"network":"x"}]}""", "interfaces[1].name")]
    [InlineData("""{"name":"a","vcpus":1,"memoryMiB":64,"labels":{"a":1}}""", "labels.a")]
    [InlineData("""{"name":null,"vcpus":1,"memoryMiB":64}""", "name")]
    public async Task A_field_that_cannot_be_read_is_named(string body, string field)
    {
        var answer = await server.Admin.PostAsync("/api/v1/vms", body);

        Assert.Equal("application/problem+json", answer.Expect(400).MediaType);
        Assert.Equal(field, Assert.Single(answer.BlamedFields));
        Assert.Equal("invalid-fields", answer.Code);
        Assert.Equal(32, answer.Text("traceId").Length);
    }

    [Fact]
    public async Task All_missing_fields_are_named_at_once()
    {
        var answer = await server.Admin.PostAsync("/api/v1/vms", "{}");

        Assert.Equal(["memoryMiB", "name", "vcpus"], answer.Expect(400).BlamedFields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task All_impossible_fields_are_named_at_once()
    {
        var answer = await server.Admin.PostAsync(
            "/api/v1/vms", """{"name":"a","vcpus":0,"memoryMiB":9223372036854775807,"devices":[{"name":"d","pool":"no-such-pool","count":10000}]}""");

        Assert.Equal(["devices[0].count", "devices[0].pool", "memoryMiB", "vcpus"], answer.Expect(422).BlamedFields.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("{\"name\":")]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("\"text\"")]
    [InlineData("{} {}")]
    [InlineData("{\"name\":\"\\ud800\"}")]
    [InlineData("{\"name\":\"a\\u0000b\"}")]
    [InlineData("{'name':'a'}")]
    public async Task What_is_no_object_of_JSON_is_400(string body) => (await server.Admin.PostAsync("/api/v1/networks", body)).Expect(400);

    [Fact]
    public async Task Nesting_without_end_is_400() =>
        (await server.Admin.PostAsync("/api/v1/networks", "{\"name\":" + new string('[', 10_000))).Expect(400);

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    public async Task Another_media_type_is_415(string mediaType)
    {
        var answer = await server.Admin.SendAsync(HttpMethod.Post, "/api/v1/networks", """{"name":"a"}""", [], mediaType);

        Assert.Equal("unsupported-media-type", answer.Expect(415).Code);
    }

    [Fact]
    public async Task A_body_over_a_mebibyte_is_413_and_an_inventory_may_be_larger()
    {
        var text = new string('x', 2 * 1024 * 1024);

        Assert.Equal("body-too-large", (await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{text}}"}""")).Expect(413).Code);
        var inventory = await server.Admin.PostAsync("/api/v1/inventories", $$"""{"name":"{{server.Name("inv")}}","lspci":"{{text}}"}""");
        Assert.True(inventory.Status is 400 or 422, inventory.Body);
        (await server.Admin.PostAsync("/api/v1/inventories", $$"""{"name":"a","lspci":"{{new string('x', 17 * 1024 * 1024)}}"}""")).Expect(413);
    }

    [Fact]
    public async Task A_path_that_leads_nowhere_and_a_method_that_is_not_taken_are_problems_too()
    {
        Assert.Equal("no-such-route", (await server.Admin.GetAsync("/api/v1/nothing")).Expect(404).Code);
        Assert.Equal("method-not-allowed", (await server.Admin.DeleteAsync("/api/v1/hosts")).Expect(405).Code);
    }
}
