using System.Text.RegularExpressions;
using ControlPlane.Api.Access;
using ControlPlane.Api.Pipeline;
using ControlPlane.Api.Tests.Infrastructure;
using ControlPlane.Domain.Projects;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ControlPlane.Api.Tests.Access;

/// <summary>Each endpoint's rule, twice: as metadata, and as the running pipeline enforces it.</summary>
public sealed partial class AuthorizationTests(ApiServer server)
{
    [Fact]
    public void Every_endpoint_carries_the_role_of_the_table_and_the_table_has_no_other()
    {
        var mapped = server.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<EndpointDescription>() is not null)
            .Select(e => (
                e.Metadata.GetMetadata<EndpointDescription>()!.OperationId, e.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods.Single(),
                "/" + e.RoutePattern.RawText!.Trim('/'), e.Metadata.GetMetadata<MinimumRole>()!.Role));

        Assert.Equal(
            AuthorizationTable.Rows.OrderBy(r => r.OperationId, StringComparer.Ordinal),
            mapped.OrderBy(r => r.OperationId, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Without_a_token_every_endpoint_answers_401()
    {
        var nobody = server.Client(null);
        var stranger = server.Client("cp_01936f5e2c0070008000000000000003_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");

        foreach (var (_, method, path, _) in AuthorizationTable.Rows)
        {
            Assert.Equal("unauthenticated", (await nobody.SendAsync(new HttpMethod(method), Concrete(path))).Expect(401).Code);
            (await stranger.SendAsync(new HttpMethod(method), Concrete(path))).Expect(401);
        }
    }

    [Theory]
    [InlineData("viewer")]
    [InlineData("member")]
    [InlineData("operator")]
    [InlineData("admin")]
    public async Task A_role_reaches_what_the_table_says_and_nothing_above(string role)
    {
        var caller = await server.CallerAsync(role);
        var own = Enum.Parse<Role>(role, ignoreCase: true);

        foreach (var (operationId, method, path, needed) in AuthorizationTable.Rows)
        {
            var answer = await caller.SendAsync(new HttpMethod(method), Concrete(path), method is "GET" or "DELETE" ? null : "{}");
            if (own < needed)
                Assert.Equal("forbidden", answer.Expect(403).Code);
            else
                Assert.True(answer.Status is not (401 or 403), $"{operationId} refused a caller of the role {role}: {answer.Body}");
        }
    }

    [Fact]
    public async Task Metrics_and_the_document_ask_for_a_token_and_health_does_not()
    {
        var nobody = server.Client(null);

        (await nobody.GetAsync("/metrics")).Expect(401);
        (await nobody.GetAsync("/openapi/controlplane-v1.json")).Expect(401);
        (await nobody.GetAsync("/no/such/path")).Expect(401);
        (await nobody.GetAsync("/healthz/live")).Expect(200);
        (await nobody.GetAsync("/healthz/ready")).Expect(200);
        Assert.Contains("# TYPE http_server_request_duration_seconds histogram", (await server.Admin.GetAsync("/metrics")).Expect(200).Body, StringComparison.Ordinal);
    }

    /// <summary>Ids that nothing has.</summary>
    private static string Concrete(string path) => Parameter().Replace(
        path, m => m.Value == "{address}" ? "0000:ff:1f.7" : m.Value == "{name}" ? "nothing" : "01936f5e-2c00-7000-8000-0000000000ff");

    [GeneratedRegex(@"\{[a-z]+\}")]
    private static partial Regex Parameter();
}
