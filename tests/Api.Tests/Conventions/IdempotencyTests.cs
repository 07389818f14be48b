using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Conventions;

/// <summary>The same request with one key is carried out once.</summary>
public sealed class IdempotencyTests(ApiServer server)
{
    private (string, string) Key() => ("Idempotency-Key", server.Name("key"));

    [Fact]
    public async Task The_first_answer_is_given_again()
    {
        var key = Key();
        var body = $$"""{"name":"{{server.Name("net")}}"}""";

        var first = (await server.Admin.PostAsync("/api/v1/networks", body, key)).Expect(201);
        var second = (await server.Admin.PostAsync("/api/v1/networks", body, key)).Expect(201);

        Assert.False(first.Replayed);
        Assert.True(second.Replayed);
        Assert.Equal((first.Body, first.ETag, first.Location), (second.Body, second.ETag, second.Location));
        Assert.Equal("name-taken", (await server.Admin.PostAsync("/api/v1/networks", body)).Expect(409).Code);
    }

    [Fact]
    public async Task A_retry_may_wait_longer_than_the_first_request()
    {
        await server.HostAsync();
        var key = Key();
        var body = $$"""{"name":"{{server.Name("vm")}}","vcpus":1,"memoryMiB":64}""";

        var first = (await server.Admin.PostAsync("/api/v1/vms", body, key)).Expect(202);
        var second = (await server.Admin.PostAsync("/api/v1/vms?wait=30", body, key)).Expect(202);

        Assert.True(second.Replayed);
        Assert.Equal(first.Text("id"), second.Text("id"));
    }

    [Fact]
    public async Task Another_body_with_the_key_is_422()
    {
        var key = Key();
        (await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{server.Name("net")}}"}""", key)).Expect(201);

        var other = await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{server.Name("net")}}"}""", key);

        Assert.Equal("idempotency-key-reused", other.Expect(422).Code);
    }

    [Fact]
    public async Task A_refusal_is_given_again_too()
    {
        var key = Key();
        const string body = """{"name":"a","vlan":5000}""";

        var first = (await server.Admin.PostAsync("/api/v1/networks", body, key)).Expect(422);
        var second = (await server.Admin.PostAsync("/api/v1/networks", body, key)).Expect(422);

        Assert.True(second.Replayed);
        Assert.Equal(first.Body, second.Body);
        Assert.Equal("application/problem+json", second.MediaType);
    }

    [Fact]
    public async Task Two_callers_may_use_the_same_key()
    {
        var key = Key();
        var other = await server.CallerAsync("operator");
        (await server.Admin.PostAsync("/api/v1/networks", $$"""{"name":"{{server.Name("net")}}"}""", key)).Expect(201);

        var second = (await other.PostAsync("/api/v1/networks", $$"""{"name":"{{server.Name("net")}}"}""", key)).Expect(201);

        Assert.False(second.Replayed);
    }

    [Fact]
    public async Task The_same_POST_many_times_in_parallel_makes_one_VM()
    {
        await server.HostAsync();
        var key = Key();
        var body = $$"""{"name":"{{server.Name("vm")}}","vcpus":1,"memoryMiB":64,"image":"tiny"}""";

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => server.Admin.PostAsync("/api/v1/vms?wait=60", body, key)));

        Assert.All(answers, a => Assert.Equal("succeeded", a.Expect(202).Text("state")));
        Assert.Single(answers.Select(a => a.Text("id")).Distinct());
        Assert.Single(answers, a => !a.Replayed);
    }

    [Fact]
    public async Task A_token_made_twice_with_one_key_is_one_token_with_the_same_secret()
    {
        var key = Key();
        var body = $$"""{"name":"{{server.Name("token")}}","role":"operator"}""";

        var first = (await server.Admin.PostAsync("/api/v1/tokens", body, key)).Expect(201);
        var second = (await server.Admin.PostAsync("/api/v1/tokens", body, key)).Expect(201);

        Assert.True(second.Replayed);
        Assert.Equal(first.Text("secret"), second.Text("secret"));
        (await server.Client(second.Text("secret")).GetAsync("/api/v1/hosts")).Expect(200);
    }

    [Theory]
    [InlineData("")]
    [InlineData("with space")]
    public async Task A_key_that_is_none_is_400(string key) =>
        Assert.Equal("Idempotency-Key", Assert.Single((await server.Admin.PostAsync("/api/v1/networks", """{"name":"a"}""", ("Idempotency-Key", key))).Expect(400).BlamedFields));
}
