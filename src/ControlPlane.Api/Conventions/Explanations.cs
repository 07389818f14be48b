using ControlPlane.Contracts;
using ControlPlane.Scheduling.Explanation;

namespace ControlPlane.Api.Conventions;

/// <summary>Placement's explanations on the wire: in a 507, in a drain's plan, and as the answer to a question.</summary>
internal static class Explanations
{
    /// <summary>The extension of a fault, when it is an explanation; null otherwise.</summary>
    public static IReadOnlyList<HostExplanationResponse>? From(object? extension) =>
        extension is PlacementExplanation explanation ? From(explanation) : null;

    public static IReadOnlyList<HostExplanationResponse> From(PlacementExplanation explanation) =>
        [.. explanation.Hosts.Where(h => !h.Fits).Select(h => new HostExplanationResponse(
            h.HostName,
            [.. h.Failed.Select(f => new FailedFilterResponse(f.Filter, f.Needed, f.Available, f.Detail))],
            h.SmallestChange?.Sentence))];
}
