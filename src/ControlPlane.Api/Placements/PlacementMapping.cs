using ControlPlane.Api.Conventions;
using ControlPlane.Contracts;
using ControlPlane.Scheduling.Explanation;

namespace ControlPlane.Api.Placements;

/// <summary>The scheduler's answer on the wire.</summary>
internal static class PlacementMapping
{
    public static PlacementResponse ToResponse(PlacementExplanation explanation) => new(
        explanation.Chosen?.HostName,
        (explanation.Chosen?.Devices ?? []).GroupBy(d => d.Owner.Name)
            .ToDictionary(g => g.Key, g => (IReadOnlyList<string>)[.. g.Select(d => d.Address.ToString())]),
        Explanations.From(explanation));
}
