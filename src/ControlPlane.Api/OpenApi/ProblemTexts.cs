using System.Text.Json.Nodes;
using Microsoft.OpenApi;

namespace ControlPlane.Api.OpenApi;

/// <summary>What each problem status means here, with an example of it.</summary>
internal static class ProblemTexts
{
    private static readonly Dictionary<int, (string Text, string Title, string Code, string Detail)> Known = new()
    {
        [400] = ("The request cannot be read; `errors` names the fields.", "Malformed request", "invalid-fields", "memoryMib: is not a known field."),
        [401] = ("There is no valid token.", "Not authenticated", "unauthenticated", "Send a valid token as 'Authorization: Bearer TOKEN'."),
        [403] = ("The token's role does not reach.", "Forbidden", "forbidden", "This asks for the role operator; the token 'ci' is member."),
        [404] = ("There is no such thing, or none that the caller may see.", "Not found", "vm-not-found", "There is no vm 'web-1'."),
        [409] = ("An illegal transition, a name that is taken, or something in use.", "Conflict", "name-taken", "The name 'web-1' is taken."),
        [412] = ("If-Match is stale.", "Precondition failed", "stale", "If-Match \"3\" does not fit; the present tag is \"4\"."),
        [413] = ("The body is too large.", "Body too large", "body-too-large", "The body must be at most 1 MiB."),
        [415] = ("The body is no JSON.", "Unsupported media type", "unsupported-media-type", "The body must be application/json."),
        [422] = ("Well formed, but impossible.", "Impossible request", "invalid-fields", "vcpus: must be from 1 to 1024, is 0."),
        [429] = ("A limit or quota is exhausted.", "Limit exceeded", "quota-exceeded", "The project may hold 16 vCPUs and holds 16."),
        [503] = ("A host does not answer now; the same call may succeed later.", "Unavailable", "host-unavailable", "The host hv1 does not answer."),
        [507] = ("No host fits; `explanation` says why, host by host.", "No placement", "no-placement", "0 of 3 hosts fit."),
    };

    public static IEnumerable<int> Statuses => Known.Keys.Order();

    /// <summary>The name under which the document holds the response once for all operations.</summary>
    public static string Component(int status) => $"Problem{status}";

    public static OpenApiResponse Response(int status, IOpenApiSchema schema) => new()
    {
        Description = Known[status].Text,
        Content = new Dictionary<string, IOpenApiMediaType>
        {
            ["application/problem+json"] = new OpenApiMediaType { Schema = schema, Example = Example(status) },
        },
    };

    private static JsonObject Example(int status)
    {
        var (_, title, code, detail) = Known[status];
        var problem = new JsonObject
        {
            ["type"] = $"urn:controlplane:problem:{code}",
            ["title"] = title,
            ["status"] = status,
            ["detail"] = detail,
            ["code"] = code,
            ["traceId"] = "4bf92f3577b34da6a3ce929d0e0e4736",
        };
        if (code == "invalid-fields")
            problem["errors"] = new JsonObject { [detail.Split(": ")[0]] = new JsonArray(detail.Split(": ")[1]) };
        if (status == 507)
            problem["explanation"] = Explanation();
        return problem;
    }

    private static JsonArray Explanation() =>
    [
        new JsonObject
        {
            ["host"] = "hv1",
            ["failed"] = new JsonArray(new JsonObject
            {
                ["filter"] = "devices",
                ["needed"] = "2 functions of pool fast-net",
                ["available"] = "1",
                ["detail"] = "One of its functions is free, seven are attached.",
            }),
            ["smallestChange"] = "Release 0000:41:10.3.",
        },
    ];
}
