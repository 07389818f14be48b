using ControlPlane.Domain;
using ControlPlane.Scheduling.Explanation;

namespace ControlPlane.Orchestration.Claims;

internal static class PlacementFaults
{
    /// <summary>No host fits: the explanation travels with the fault and becomes the problem document's.</summary>
    public static Fault NoPlacement(PlacementExplanation explanation) =>
        new(FaultKind.NoPlacement, "no-placement", explanation.Summary) { Extension = explanation };
}
