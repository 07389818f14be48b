using System.Text.RegularExpressions;
using ControlPlane.Api.Tests.Access;
using ControlPlane.Api.Tests.Infrastructure;

namespace ControlPlane.Api.Tests.Conventions;

/// <summary>Whatever is sent to whichever endpoint, the server never answers that the fault is its own.</summary>
public sealed partial class OddInputTests(ApiServer server)
{
    private static readonly string[] Ids =
    [
        "x", "..%2f..", "%00", "a%00b", "%F0%9F%98%80", "-1", "9223372036854775808", "'%20OR%201=1--", "%25s%25n", "0000:00:00.0", "ffff:ff:1f.7",
        "00000000-0000-0000-0000-000000000000", "{}", "null", "UPPER", "a.b", new string('a', 64), new string('a', 2000), "%C3%28", "*",
    ];

    private static readonly string[] Bodies =
    [
        "", "{}", "[]", "null", "0", "\"\"", "{\"name\":\"\"}", "{\"name\":\"-a\"}", "{\"name\":{}}", "{\"name\":\"a\",\"labels\":null}",
        "{\"name\":\"\\u0000\"}", "{\"count\":-1}", "{\"count\":2147483647}", "{\"count\":1e9}", "{\"quota\":{\"devices\":{\"x\":-1}}}",
        "{\"name\":\"a\",\"kind\":\"function\",\"match\":[{}]}", "{\"labels\":{\"\":\"\"}}", "{\"timeoutSeconds\":-1}", "{\"maxParallel\":-5}",
        "{\"downtimeLimitMilliseconds\":-1,\"timeoutSeconds\":0}", "{\"name\":\"a\",\"role\":\"god\"}", "{\"name\":\"a\",\"role\":\"viewer\",\"ttlSeconds\":-9223372036854775808}",
        "{\"name\":\"a\",\"lspci\":\"\"}", "{\"name\":\"a\",\"lspci\":\"Slot:\\t0000:00:00.0\"}", "{\"name\":\"a\",\"backend\":{\"kind\":\"emulated\",\"profile\":\"../../etc/passwd\"}}",
        "{\"name\":\"a\",\"backend\":{\"kind\":\"libvirt\",\"uri\":\"file:///\"}}", "{\"name\":\"net0\",\"network\":\"\",\"mac\":\"zz\"}", "{\"name\":\"d\",\"pool\":\"\\uFFFF\",\"count\":0}",
    ];

    private static readonly string[] Queries =
        ["?limit=-1", "?sort=%00", "?pageToken=%FF", "?pageToken=AAAAAAAAAAAAAAAAAAAA", "?project=%20", "?wait=NaN", "?label==", "?name=%25&state=", "?%00=1", "?="];

    public static TheoryData<string, string> Endpoints => [.. AuthorizationTable.Rows.Select(r => (r.Method, r.Path)).Distinct()];

    [Theory]
    [MemberData(nameof(Endpoints))]
    public async Task No_odd_input_is_the_servers_fault(string method, string path)
    {
        var ids = path.Contains('{', StringComparison.Ordinal) ? Ids : [""];
        foreach (var id in ids)
            await AssertNoFaultAsync(method, Parameter().Replace(path, id), "{}");
        foreach (var query in Queries)
            await AssertNoFaultAsync(method, Parameter().Replace(path, "x") + query, "{}");
        foreach (var body in method is "GET" or "DELETE" ? [] : Bodies)
            await AssertNoFaultAsync(method, Parameter().Replace(path, "default"), body);
    }

    private async Task AssertNoFaultAsync(string method, string path, string body)
    {
        var answer = await server.Admin.SendAsync(new HttpMethod(method), path, method is "GET" or "DELETE" ? null : body);

        Assert.True(answer.Status is < 500 or 507, $"{method} {path} {body}: {answer.Status} {answer.Body}");
        Assert.DoesNotContain("   at ", answer.Body, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\{[a-z]+\}")]
    private static partial Regex Parameter();
}
