using System.Text.Json.Nodes;

namespace ControlPlane.Api.OpenApi;

/// <summary>What the parts of a path mean. A name that is missing here fails the document, so that none goes without words.</summary>
internal static class PathParameterTexts
{
    private static readonly Dictionary<string, (string Text, string Example)> Known = new()
    {
        ["host"] = ("Id or name of the host.", "hv1"),
        ["address"] = ("PCI address: domain, bus, device and function.", "0000:41:00.0"),
        ["inventory"] = ("Id or name of the inventory.", "rack-7"),
        ["pool"] = ("Id or name of the pool.", "fast-net"),
        ["network"] = ("Id or name of the network.", "prod"),
        ["vm"] = ("Id of the VM, or its name within the project.", "web-1"),
        ["name"] = ("The VM's name for it.", "net0"),
        ["migration"] = ("Id of the migration.", "01936f5e-2c00-7000-8000-000000000001"),
        ["operation"] = ("Id of the operation.", "01936f5e-2c00-7000-8000-000000000002"),
        ["project"] = ("Id or name of the project.", "default"),
        ["token"] = ("Id of the token.", "01936f5e-2c00-7000-8000-000000000003"),
    };

    public static string Describe(string name) => Known[name].Text;

    public static JsonNode Example(string name) => Known[name].Example;
}
