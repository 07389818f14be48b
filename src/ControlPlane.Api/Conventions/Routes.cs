namespace ControlPlane.Api.Conventions;

/// <summary>Where things are found; the base of every path stands here once.</summary>
internal static class Routes
{
    public const string Base = "/api/v1";

    public static string Operation(string id) => $"{Base}/operations/{id}";

    public static string To(string collection, string id) => $"{Base}/{collection}/{id}";
}
